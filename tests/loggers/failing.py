"""Loggers that fail, are slow, or say which process they are in."""

import os
import time
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from torch import Tensor

from gan_lightning.loggers import Tool


class Failing(Tool, Logger):
    """Raises in one place from its first call on, after `seconds`; counts the calls in a file."""

    package = "torch"
    name, version = "", ""

    def __init__(self, place: str, calls: str, seconds: float = 0.0) -> None:
        super().__init__()
        self.place, self.calls, self.seconds = place, Path(calls), seconds
        self._called("__init__")

    def _called(self, place: str) -> None:
        with self.calls.open("a") as file:
            file.write(f"{os.getpid()} {place}\n")
        if place == self.place:
            time.sleep(self.seconds)
            raise ConnectionError("the server\nis gone")

    @property
    def experiment(self) -> Any:
        self._called("experiment")
        return self

    @property
    def save_dir(self) -> str:
        self._called("save_dir")
        return "."

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        self._called("log_hyperparams")

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self._called("log_metrics")

    def picture(self, tag: str, grid: Tensor, images_seen: int) -> None:
        self._called("picture")

    def finalize(self, status: str) -> None:
        self._called("finalize")
