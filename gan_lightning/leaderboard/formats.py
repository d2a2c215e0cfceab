"""Sections as Markdown, as a page in one file, and rows as CSV."""

import csv
import io
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gan_lightning.leaderboard.sections import FLOOR, Section
from gan_lightning.report.html import Html, document, table, tag, text
from gan_lightning.report.pictures import MOST_BYTES, embedded, opened
from gan_lightning.system.files import atomic_write


def markdown(sections: Sequence[Section], pictures: Path | None = None, beside: str = ".") -> str:
    """Return sections as Markdown.

    Args:
        pictures: a folder that the grid of each row is written to, and shown from.
        beside: the folder of the page, from which its links start.
    """
    blocks = []
    for section in sections:
        blocks += [f"## {section.title}", *map(_plain, section.lines)]
        if section.rows:
            lines = [section.head, ["---"] * len(section.head)]
            lines += [
                [first if first == FLOOR else _code(first), *map(_plain, rest)]
                for first, *rest in section.rows
            ]
            blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        if pictures and section.pictures:
            blocks += _shown(section, pictures, beside)
    return "\n\n".join(blocks) + "\n"


def _shown(section: Section, pictures: Path, beside: str) -> list[str]:
    """Write the pictures of a section; return the blocks that show them."""
    pictures.mkdir(parents=True, exist_ok=True)
    blocks = []
    for name, words, strip in section.pictures:
        image, file = opened(strip.files[-1][1]), pictures / f"{_file_name(name)}.png"
        if image:
            atomic_write(file, partial(image.save, format="PNG", optimize=True))
            place = Path(os.path.relpath(file, beside)).as_posix()
            blocks += [f"{_code(name)}: {words}", f"![{_plain(name)}]({place})"]
    return blocks


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name.removeprefix("experiment="), flags=re.ASCII)[:100]


def _plain(words: str) -> str:
    """Return a text that Markdown shows as it is."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", words)


def _code(words: str) -> str:
    """Return a text between backticks, which a cell of a table can hold."""
    return f"`{words.replace('`', chr(39)).replace('|', chr(92) + '|')}`" if words else ""


def page(sections: Sequence[Section], title: str, command: str) -> str:
    """Return sections as a page that needs no network, with the grid of each row."""
    budget = MOST_BYTES // max(1, sum(len(section.pictures) for section in sections))
    parts = []
    for section in sections:
        figures, remarks = _figures(section, budget)
        shown = [tag("h2", section.title)]
        shown += [tag("p", line, class_="note") for line in [*section.lines, *remarks]]
        if section.rows:
            shown.append(table(section.head, section.rows, section.numbers))
        parts.append(tag("section", *shown, tag("div", *figures, class_="players")))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    foot = tag("footer", f"Written {now} by {command}")
    return document(title, tag("main", tag("header", tag("h1", title)), *parts, foot))


def _figures(section: Section, budget: int) -> tuple[list[Html], list[str]]:
    """Return a figure for each picture that can be shown, and remarks on the others."""
    figures: list[Html] = []
    remarks: list[str] = []
    for name, words, strip in section.pictures:
        for _, address in embedded(strip, budget, remarks):
            image = Html(f'<img alt="{text(name)}" src="{address}">')
            label = tag("figcaption", tag("strong", name), " ", tag("output", words))
            figures.append(tag("figure", label, image, class_="player"))
    return figures, remarks


def csv_text(records: Sequence[dict[str, object]]) -> str:
    """Return rows as a CSV file with a column for every key that one of them has."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()
