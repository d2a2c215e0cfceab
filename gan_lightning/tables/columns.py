"""Columns of a table, and what they are to the networks: standardised numbers, one-hot categories.

A number x becomes x' = (x - mean) / deviation, divided by the column's own `scale` so that all
values of the table lie within `REACH`; a category becomes one coordinate per value, `HOT` for the
one that it is and -`HOT` for the others. Numbers come first, then categories. The label, one of the
categories, is no coordinate but y; a column of one value is none either, and brought back as it is.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NUMBERS, KINDS = ("integer", "decimal"), ("integer", "decimal", "category")
REACH = 0.9  # tanh comes near 1 only with a large weight
HOT = 0.25  # about the deviation that a standardised number has after its scaling
MOST_CATEGORIES = 1000
MOST_COORDINATES = 1000
DELIMITERS, MARKS = (",", ";", "\t", "|"), (".", ",")
_LONGEST = 200  # characters of a name or category
_MOST_DECIMALS = 15


@dataclass(frozen=True)
class Column:
    """A column: `integer` and `decimal` have the numbers' fields, `category` its `values`.

    `decimals` are the digits behind the mark; None: six significant ones.
    """

    name: str
    kind: str
    mean: float = 0.0
    deviation: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0
    decimals: int | None = 0
    values: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many coordinates it is, were it not the label."""
        if self.kind in NUMBERS:
            return int(self.deviation > 0)
        return len(self.values) if len(self.values) > 1 else 0

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return float32[N, width] of numbers float64[N], or of places among the categories."""
        if not self.width:
            return np.empty((len(values), 0), np.float32)
        if self.kind == "category":
            hot = values[:, None] == np.arange(len(self.values))
            return np.where(hot, HOT, -HOT).astype(np.float32)
        return ((values - self.mean) / self.deviation / self.scale).astype(np.float32)[:, None]

    def decode(self, points: np.ndarray) -> np.ndarray:
        """Return numbers float64[N] within the column's range and of its type, or places."""
        if self.kind == "category":
            return points.argmax(1) if self.width else np.zeros(len(points), np.int64)
        if not self.width:
            return np.full(len(points), self.low)
        x = points[:, 0].astype(np.float64) * self.scale * self.deviation + self.mean
        x = x.clip(self.low, self.high)
        return x if self.decimals is None else x.round(self.decimals)

    def text(self, values: np.ndarray, mark: str = ".") -> list[str]:
        """Return what `decode` returned as it stands in the file."""
        if self.kind == "category":
            return [self.values[place] for place in values.tolist()]
        form = "{:.6g}" if self.decimals is None else f"{{:z.{self.decimals}f}}"
        written = map(form.format, values.tolist())
        return list(written) if mark == "." else [one.replace(".", mark) for one in written]


def number_column(name: str, kind: str, values: np.ndarray, decimals: int) -> Column:
    """Return the column of numbers float64[N]; `decimals` as they stand in the file."""
    mean, deviation = float(values.mean()), float(values.std())
    low, high = float(values.min()), float(values.max())
    if low == high:  # rounding can make a deviation of it
        mean, deviation = low, 0.0
    scale = float(np.abs(values - mean).max()) / deviation / REACH if deviation else 1.0
    shown = None if decimals > _MOST_DECIMALS else decimals
    return Column(name, kind, mean, deviation, scale, low, high, shown)


@dataclass(frozen=True)
class Schema:
    """All that is needed to write a table from points: it goes into the generator file."""

    columns: list[Column]  # in the order of the file
    label: str | None = None
    delimiter: str = ","
    mark: str = "."

    @property
    def coordinates(self) -> list[Column]:
        """The columns that are coordinates of a point, in the order of the coordinates."""
        ordered = sorted(self.columns, key=lambda column: column.kind == "category")
        return [column for column in ordered if column.width and column.name != self.label]

    @property
    def size(self) -> int:
        return sum(column.width for column in self.coordinates)

    @property
    def categories(self) -> list[int]:
        """How many values each category has that is coordinates."""
        return [column.width for column in self.coordinates if column.kind == "category"]

    @property
    def classes(self) -> list[str]:
        """The values of the label; none without one."""
        return next((c.values for c in self.columns if c.name == self.label), [])

    def encode(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Return points float32[N, size] of the columns' values."""
        given = {column.name: one for column, one in zip(self.columns, values, strict=True)}
        parts = [column.encode(given[column.name]) for column in self.coordinates]
        return np.concatenate([np.empty((len(values[0]), 0), np.float32), *parts], axis=1)

    def decode(self, points: np.ndarray, labels: np.ndarray | None = None) -> list[np.ndarray]:
        """Return the columns' values; without labels int64[N] the label's are its first one."""
        first, found = 0, {}
        for column in self.coordinates:
            found[column.name] = column.decode(points[:, first : first + column.width])
            first += column.width
        nothing = np.empty((len(points), 0))
        if self.label and labels is not None:
            found[self.label] = labels
        return [found[c.name] if c.name in found else _constant(c, nothing) for c in self.columns]

    def rows(self, points: np.ndarray, labels: np.ndarray | None) -> list[tuple[str, ...]]:
        """Return the rows of text; without labels they have no label's column."""
        shown = self.header(labels is not None)
        values = zip(self.columns, self.decode(points, labels), strict=True)
        return [*zip(*(c.text(v, self.mark) for c, v in values if c.name in shown), strict=True)]

    def header(self, labelled: bool) -> list[str]:
        return [c.name for c in self.columns if labelled or c.name != self.label]

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return dataclasses.asdict(self)


def _constant(column: Column, nothing: np.ndarray) -> np.ndarray:
    if column.kind == "category":
        return np.zeros(len(nothing), np.int64)
    return column.decode(nothing)


def read_schema(fields: Any) -> Schema:
    """Return the schema that `plain` made these of; ValueError if a stranger made them of less."""
    try:
        columns = [Column(**column) for column in fields["columns"]]
        schema = Schema(columns, fields["label"], fields["delimiter"], fields["mark"])
        names = [column.name for column in columns]
        fine = (
            len(fields) == len(dataclasses.fields(Schema))
            and 0 < len(columns) <= MOST_COORDINATES
            and all(map(_is_column, columns))
            and len(set(names)) == len(names)
            and schema.size <= MOST_COORDINATES
            and schema.delimiter in DELIMITERS
            and schema.mark in MARKS
            and (schema.label is None or bool(schema.classes))
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("its table has other fields") from error
    if not fine:
        raise ValueError("its table is impossible")
    return schema


def is_text(value: Any) -> bool:
    """Whether this can be a name or a category: short, and without line breaks."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _is_column(column: Column) -> bool:
    numbers = (column.mean, column.deviation, column.scale, column.low, column.high)
    decimals, values = column.decimals, column.values
    return (
        is_text(column.name)
        and column.kind in KINDS
        and all(type(one) in (int, float) and math.isfinite(one) for one in numbers)
        and column.deviation >= 0
        and column.low <= column.high
        and (decimals is None or (type(decimals) is int and 0 <= decimals <= _MOST_DECIMALS))
        and isinstance(values, list)
        and all(map(is_text, values))
        and (0 < len(values) <= MOST_CATEGORIES if column.kind == "category" else not values)
    )
