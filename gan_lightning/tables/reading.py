"""Tables in CSV files: what their columns are, and the values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable
from gan_lightning.tables.columns import (
    KINDS,
    MARKS,
    MOST_CATEGORIES,
    MOST_COORDINATES,
    Column,
    Schema,
    is_text,
    number_column,
)
from gan_lightning.tables.csv_text import Text, read_text
from gan_lightning.tables.numbers import decimal_mark, read_number, read_numbers

AUTO, IGNORE = "auto", "ignore"
MISSING = {"", "na", "n/a", "#n/a", "nan", "null"}
FEW = 20  # rows
NAMES = 100  # more different texts are names, not categories, unless the user says otherwise


@dataclass(frozen=True)
class Options:
    """What is told of a file, hashable; None: to be found out.

    Args:
        label: the column that is y; `auto`: the last category column, if any; None: none.
        kinds: (column's name or `column1`, ..., kind or `ignore`).
    """

    label: str | None = AUTO
    kinds: tuple[tuple[str, str], ...] = ()
    delimiter: str | None = None
    mark: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Options":
        """Return what stands in the config of a data set."""
        kinds = [(str(name), str(kind)) for name, kind in (data.get("kinds") or {}).items()]
        marks = [data.get(name) for name in ("delimiter", "decimal")]
        return cls(data.get("label", AUTO), tuple(kinds), *marks)


@dataclass(frozen=True)
class Table:
    """A table: its schema, and the values of each column: numbers, or places of categories."""

    schema: Schema
    values: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.values[0])

    def labels(self) -> np.ndarray:
        """Return int64[N], 0 without a label."""
        names = [column.name for column in self.schema.columns]
        label = self.schema.label
        return self.values[names.index(label)] if label else np.zeros(len(self), np.int64)


def read_table(path: Path, options: Options) -> Table:
    """Return the table in a file.

    Raises:
        UserError: names the row and column of what is missing or cannot be read, and a way out.
    """
    try:
        stamp = path.stat()
    except OSError as error:
        raise UserError(f"data.root={path} cannot be read: {error.strerror}") from error
    if not path.is_file():
        raise UserError(f"data.root={path} is no file: name a CSV file")
    return _read(path, options, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(2)  # the config asks for the number of columns, then the data set for the rows
def _read(path: Path, options: Options, *stamp: int) -> Table:
    text = read_text(path, options.delimiter)
    kinds = _kinds_asked(text, options)
    mark = options.mark or decimal_mark(text.columns, text.delimiter)
    if mark not in MARKS:
        raise UserError(f"data.decimal={mark} must be one of {' '.join(MARKS)}")
    found = [_column(text, index, kind, mark) for index, kind in kinds.items()]
    columns, values = [column for column, _ in found], [one for _, one in found]
    label = options.label
    if label == AUTO:
        label = next((c.name for c in reversed(columns) if c.kind == "category"), None)
    schema = Schema(columns, label, text.delimiter, mark)
    if not schema.size:
        but = f" but the label {label!r}" if label else ""
        raise UserError(
            f"{path} has {len(text.rows):,} row{'s' * (len(text.rows) != 1)}, and no column "
            f"varies{but}: there is nothing to learn"
        )
    if schema.size > MOST_COORDINATES:
        raise UserError(
            f"{path}: numbers and categories make {schema.size:,} coordinates, more than "
            f"{MOST_COORDINATES:,}: leave columns out by data.kinds={{NAME: {IGNORE}}}"
        )
    return Table(schema, values)


def encode_rows(path: Path, schema: Schema) -> tuple[np.ndarray, np.ndarray | None]:
    """Return (points float32[N, size], labels int64[N]) of another file with a table's columns.

    Raises:
        UserError: a column is missing, or has a category that the table has not.
    """
    text = read_text(path, None)
    mark, values = decimal_mark(text.columns, text.delimiter), []
    for column in schema.columns:
        if column.name not in text.names:
            raise UserError(f"{path} has no column {column.name!r}: {', '.join(text.names)}")
        index = text.names.index(column.name)
        if column.kind != "category":
            values.append(_numbers(text, index, mark)[0])
            continue
        places = {value: place for place, value in enumerate(column.values)}
        for row, value in enumerate(text.columns[index]):
            if value not in places:
                raise UserError(
                    f"{text.place(index, row)}: {value!r} is none of {', '.join(column.values)}"
                )
        values.append(np.array([places[value] for value in text.columns[index]]))
    return schema.encode(values), Table(schema, values).labels() if schema.label else None


def _kinds_asked(text: Text, options: Options) -> dict[int, str | None]:
    """Return the kinds that were asked for, None of the others, by column; without ignored ones."""
    asked: dict[int, str | None] = dict.fromkeys(range(len(text.names)))
    known = ", ".join(text.names)[:300]
    for name, kind in options.kinds:
        if kind not in (*KINDS, IGNORE):
            raise UserError(
                f"data.kinds: {name}: {kind} must be one of {', '.join((*KINDS, IGNORE))}"
            )
        if name in text.names:
            asked[text.names.index(name)] = kind
        elif name in (numbered := [f"column{place}" for place in range(1, len(text.names) + 1)]):
            asked[numbered.index(name)] = kind
        else:
            raise UserError(f"data.kinds: {name}: {text.path} has no such column: {known}")
    label = options.label
    if label not in (None, AUTO):
        if label not in text.names:
            raise UserError(f"data.label={label}: {text.path} has no such column: {known}")
        place = text.names.index(label)
        if asked[place] not in (None, "category"):
            raise UserError(f"data.label={label}: its kind must be category, not {asked[place]}")
        asked[place] = "category"
    return {index: kind for index, kind in asked.items() if kind != IGNORE}


def _column(text: Text, index: int, kind: str | None, mark: str) -> tuple[Column, np.ndarray]:
    """Return a column and its values; a `kind` of None is to be found out."""
    fields, name = text.columns[index], text.names[index]
    for row, value in enumerate(fields):
        if not value or (kind != "category" and value.lower() in MISSING):
            raise UserError(
                f"{text.place(index, row)}: a value is missing: fill it in or remove the row, or "
                f"leave the column out by {text.override(index, IGNORE)}"
            )
    some = fields[:1000]
    if kind is None and 2 * sum(read_number(value, mark) is not None for value in some) <= len(
        some
    ):
        different = len(set(fields))
        if different > NAMES or (different > len(fields) / 2 and len(fields) >= FEW):
            raise UserError(
                f"{text.place(index, 0)}: {fields[0]!r} is no number, and {different:,} different "
                f"texts are too many for categories: {text.override(index, IGNORE)}"
            )
        kind = "category"
    if kind == "category":
        return _category(text, index)
    values, decimals = _numbers(text, index, mark)
    broken = values != values.round()
    if kind == "integer" and broken.any():
        row = int(broken.argmax())
        raise UserError(f"{text.place(index, row)}: {fields[row]!r} is no whole number")
    whole = not decimals and not broken.any()
    found = kind or ("integer" if whole else "decimal")
    return number_column(name, found, values, 0 if found == "integer" else decimals), values


def _category(text: Text, index: int) -> tuple[Column, np.ndarray]:
    name, fields = text.names[index], text.columns[index]
    different = sorted(set(fields))
    if len(different) > MOST_CATEGORIES:
        raise UserError(
            f"{text.path}, column {name!r}: {len(different):,} categories are more than "
            f"{MOST_CATEGORIES:,}: leave it out by {text.override(index, IGNORE)}"
        )
    places = {value: place for place, value in enumerate(different)}
    for value in different:
        if not is_text(value):
            row = fields.index(value)
            raise UserError(f"{text.place(index, row)}: no category: {printable(value)[:100]}")
    return Column(name, "category", values=different), np.array([places[v] for v in fields])


def _numbers(text: Text, index: int, mark: str) -> tuple[np.ndarray, int]:
    found = read_numbers(text.columns[index], mark)
    if isinstance(found, int):
        field = printable(text.columns[index][found])[:100]
        raise UserError(
            f"{text.place(index, found)}: {field!r} is no number (decimal mark {mark!r}): mend it, "
            f"or say {text.override(index, 'category')} or {text.override(index, IGNORE)}"
        )
    return found
