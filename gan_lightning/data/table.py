"""Tables of numbers and categories, each row a point."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from gan_lightning.data.base import DataModule
from gan_lightning.data.held_out import held_out_rows
from gan_lightning.errors import UserError
from gan_lightning.pixels import COLOURS, scatter
from gan_lightning.ranges import Count, Place, Whole, number, validated
from gan_lightning.tables import AUTO, Options, Schema, Table, read_table

SHOWN = 2000  # reals in a picture of them alone
A_PASS = 50_000  # rows in an epoch, at least: a small table is repeated


@validated
class TableDataModule(DataModule):
    """Rows of a CSV file, [N, D, 1, 1]: standardised numbers, one-hot categories, a label.

    How a row becomes a point is said in `gan_lightning/tables/columns.py`. Means, ranges and
    categories are those of the whole file; the rows held out to test on are always the same.

    Args:
        root: the file.
        label: the column that is y; `auto`: the last category column, if any; None: none.
        kinds: integer, decimal, category or `ignore`, by column's name or `column1`, ...; those
            of the others are found out.
        delimiter, decimal: between fields, and of numbers; None: found out.
        channels: D; the config counts it.
        resolution: 1, the side of such an image.
        test_fraction: share of the rows to hold out.
        kwargs: as of `DataModule`.
    """

    dots = True

    def __init__(
        self,
        root: Place,
        label: str | None = AUTO,
        kinds: Mapping[str, str] | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
        channels: Count = 2,
        resolution: Count = 1,
        test_fraction: Annotated[float, number(0, 0.9, above=True)] = 0.1,
        name: str = "table",
        num_classes: Whole = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, num_classes, source=str(root), **kwargs)
        self.file = Path(root).expanduser()
        self.options = Options.of(
            {"label": label, "kinds": kinds, "delimiter": delimiter, "decimal": decimal}
        )
        self.channels = channels
        self.resolution = resolution
        self.test_fraction = test_fraction

    def prepare_data(self) -> None:
        """Find out now that something is wrong with the file."""
        self.load(train=True)

    @property
    def rows(self) -> Table:
        """The whole file; it is read once."""
        return read_table(self.file, self.options)

    @property
    def schema(self) -> Schema:
        return self.rows.schema

    def table(self) -> dict[str, Any]:
        return self.schema.plain()

    def class_names(self) -> list[str]:
        return self.schema.classes

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        table = self.rows
        points = torch.from_numpy(table.schema.encode(table.values))[:, :, None, None]
        labels = torch.from_numpy(table.labels())
        rows = held_out_rows(len(points), self.test_fraction)[0 if train else 1]
        return points[rows], labels[rows]

    def picture(
        self, samples: Tensor | None = None, columns: int = 10, labels: Tensor | None = None
    ) -> Tensor:
        """Return the first two columns as dots, coloured by label, over as many reals in grey."""
        reals = self.images.images[: SHOWN if samples is None else len(samples)]
        if samples is None or labels is None:
            return scatter(reals, [] if samples is None else [samples])
        return scatter(reals, [samples[labels == label] for label in self.classes], COLOURS)


def table_size(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the config counts: channels, num_classes, categories, repeat.

    Of a file that cannot be read they are the least: the data module says what is wrong.
    """
    try:
        table = read_table(Path(data["root"]).expanduser(), Options.of(data))
    except UserError:
        return {"channels": 1, "num_classes": 0, "categories": [], "repeat": 1}
    schema, rows = table.schema, len(table)
    return {
        "channels": schema.size,
        "num_classes": len(schema.classes),
        "categories": schema.categories,
        "repeat": -(-A_PASS // rows),
    }
