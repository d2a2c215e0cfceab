"""A callback that measures training alone: on the CPU in seconds of this process's CPU time.

CPU time of one thread is what a quiet core would take; unlike the wall clock it hardly changes
when other work shares the machine. On a GPU it is the wall clock. Scores, pictures and
checkpoints are not counted.

    OMP_NUM_THREADS=1 python train.py +callbacks.clock._target_=benchmarks.clock.Clock \\
      '+callbacks.clock.file=${run_dir}/clock.csv'
"""

import time
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from gan_lightning.callbacks.context import context


class Clock(Callback):
    """Writes a line `images_seen,seconds` to a file after each epoch.

    Args:
        file: is written anew by each run.
        max_minutes: ends the run at the end of the epoch in which so much was used.
        wall: read the wall clock on the CPU too, for a machine without other work.
    """

    def __init__(self, file: str, max_minutes: float = float("inf"), wall: bool = False) -> None:
        self.file, self.wall = Path(file), wall
        self.max_minutes = max_minutes
        self.seconds = self.start = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the file."""
        self.file.write_text("images_seen,seconds\n")

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.start = self.now(pl_module)

    def now(self, module: LightningModule) -> float:
        """Return the clock's time in seconds."""
        wall = self.wall or module.device.type == "cuda"
        return time.perf_counter() if wall else time.process_time()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Stop it at the last batch, before the scores of the epoch."""
        if not trainer.is_last_batch:
            return
        self.seconds += self.now(pl_module) - self.start
        module, _ = context(trainer, pl_module)
        with self.file.open("a") as file:
            file.write(f"{module.images_seen},{self.seconds:.3f}\n")
        if self.seconds >= 60 * self.max_minutes:
            trainer.should_stop = True


def read_clock(file: Path) -> dict[int, float]:
    """Return the seconds of training by images_seen."""
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    return {int(images): float(seconds) for images, seconds in rows}
