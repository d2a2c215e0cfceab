"""CSV files as text: which delimiter they have, the columns' names, and the fields."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable
from gan_lightning.tables.columns import DELIMITERS, is_text
from gan_lightning.tables.numbers import read_number

LOOKED_AT = 50  # rows, to find the delimiter


@dataclass(frozen=True)
class Text:
    """The fields of a file: column by column, and in which row of the file each stands."""

    path: Path
    names: list[str]
    columns: list[list[str]]
    rows: list[int]
    delimiter: str

    def place(self, column: int, index: int) -> str:
        return f"{self.path}, row {self.rows[index]}, column {self.names[column]!r}"

    def override(self, column: int, kind: str) -> str:
        """Return what gives a column that kind; Hydra's keys are plain words."""
        name = self.names[column]
        key = name if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) else f"column{column + 1}"
        return f"'data.kinds={{{key}: {kind}}}'"


def read_text(path: Path, delimiter: str | None) -> Text:
    """Return the fields of a file, stripped; UserError if it is none, or rows differ in length."""
    if delimiter is not None and delimiter not in DELIMITERS:
        raise UserError(
            f"data.delimiter={delimiter!r} must be one of {' '.join(map(repr, DELIMITERS))}"
        )
    try:
        content = path.read_bytes()
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        whole = content.decode("utf-16" if wide else "utf-8-sig")
        delimiter = delimiter or _delimiter(whole)
        lines = io.StringIO(whole, newline="")
        records = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, row {line}: not in UTF-8: save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    stripped = [[field.strip() for field in record] for record in records]
    numbered = [(n, one) for n, one in enumerate(stripped, 1) if one not in ([], [""])]
    if not numbered:
        raise UserError(f"{path} is empty: it needs a header and rows")
    (_, header), *body = numbered
    names = _header(path, header)
    if not body:
        raise UserError(f"{path} has a header and no rows")
    for row, fields in body:
        if len(fields) != len(names):
            raise UserError(
                f"{path}, row {row}: {len(fields)} fields, but the header has {len(names)} "
                f"(fields are parted by {delimiter!r}: data.delimiter)"
            )
    columns = [list(column) for column in zip(*(fields for _, fields in body), strict=True)]
    return Text(path, names, columns, [row for row, _ in body], delimiter)


def _delimiter(text: str) -> str:
    """Return what gives the header the most fields that half of the next rows have too."""
    lines = io.StringIO(text, newline="")
    head = [line for _, line in zip(range(LOOKED_AT), lines, strict=False) if line.strip()]
    best, most = DELIMITERS[0], 1
    for delimiter in DELIMITERS:
        counts = [len(fields) for fields in csv.reader(head, delimiter=delimiter) if fields]
        same = counts.count(counts[0]) if counts else 0
        if same * 2 > len(counts) and counts[0] > most:
            best, most = delimiter, counts[0]
    if most == 1 and len(head) > 1 and "," in head[1] and "," not in head[0]:
        return ";"  # one column, of numbers with decimal commas
    return best


def _header(path: Path, header: list[str]) -> list[str]:
    if all(read_number(name, ".") is not None for name in header):
        raise UserError(f"{path}, row 1 has numbers, not the columns' names: add a header")
    names = [" ".join(name.split()) for name in header]
    for place, name in enumerate(names, 1):
        if not name:
            raise UserError(
                f"{path}, row 1, column {place} has no name: give it one (pandas writes its index "
                "there: index=False leaves it out)"
            )
        if not is_text(name):
            raise UserError(f"{path}, row 1, column {place}: no name: {printable(name)[:100]}")
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        raise UserError(f"{path}, row 1: two columns are called {double[0]!r}: rename one")
    return names
