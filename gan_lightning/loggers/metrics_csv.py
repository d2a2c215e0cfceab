"""`metrics.csv`, which the report, the searches and the doctor read."""

import csv
import errno
import io
import os
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from gan_lightning.errors import UserError
from gan_lightning.system.files import atomic_write


class MetricsCSV(Logger):
    """`metrics.csv`: one row per point, one column per metric, on the images_seen axis.

    Unlike Lightning's CSVLogger it keeps what an earlier part of a resumed run wrote; rows after
    the point where it resumed are dropped, because they are measured again.
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__()
        self.path = Path(save_dir) / "metrics.csv"
        self._columns: list[str] = []

    @property
    def name(self) -> str:
        return ""  # the run folder is the name

    @property
    def version(self) -> str:
        return ""  # a run folder holds one run

    @property
    def save_dir(self) -> str:
        return str(self.path.parent)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: settings are in config.yaml."""

    @rank_zero_only
    def resume(self, images_seen: int) -> None:
        """Continue the file from this position, or raise UserError; a half row is dropped."""
        if self.path.exists():
            whole, _, _ = self.path.read_bytes().rpartition(b"\n")
            os.truncate(self.path, len(whole) + 1 if whole else 0)
            try:
                rows = [row for row in self._rows() if int(row["images_seen"]) <= images_seen]
            except (LookupError, TypeError, ValueError) as error:
                raise UserError(f"{self.path} holds no curves of a run: move it away") from error
            self._rewrite(rows)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append a row; a new metric becomes a new column."""
        row = {"images_seen": step, **metrics}
        if not set(row) <= set(self._columns):
            rows = self._rows() if self._columns else []
            self._columns += [name for name in row if name not in self._columns]
            self._rewrite(rows)
        text = io.StringIO(newline="")
        csv.DictWriter(text, self._columns).writerow(row)
        self._append(text.getvalue().encode())

    def column(self, metric: str) -> list[float]:
        """Return the values of a metric that the file holds, in order."""
        return [float(row[metric]) for row in self._rows() if row.get(metric)]

    def _append(self, row: bytes) -> None:
        """Write a row or none: the run goes on when a disk is full, and half a row is another."""
        with self.path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                if file.write(row) != len(row):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            except OSError:
                file.truncate(end)
                raise

    def _rows(self) -> list[dict[str, str]]:
        with self.path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            self._columns = list(reader.fieldnames or [])
            return list(reader)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        def write(path: Path) -> None:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, self._columns)
                writer.writeheader()
                writer.writerows(rows)

        atomic_write(self.path, write)
