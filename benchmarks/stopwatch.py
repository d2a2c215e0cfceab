"""A callback that writes how fast an epoch was, with what stands at its end and without it."""

import json
import time
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from gan_lightning.callbacks.context import context


class Stopwatch(Callback):
    """Times one epoch by the wall clock, after its first batches.

    Args:
        file: JSON of `images`, `steps_seconds` (to the last batch) and `seconds` (with the
            pictures, checkpoint and generator file of the epoch's end); `first_step` and
            `steps_end`: when the first and the last batch ended, as time.time() says.
        skip: batches before the clock starts.
    """

    def __init__(self, file: str, skip: int = 50) -> None:
        self.file, self.skip = Path(file), skip
        self.start = self.steps = self.end = 0.0
        self.first = 0
        self.first_step = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Start the clock, and note when the first and the last batch ended."""
        self.first_step = self.first_step or time.time()
        if not self.start and trainer.fit_loop.epoch_loop.batch_progress.current.ready >= self.skip:
            module, _ = context(trainer, pl_module)
            self.start, self.first = time.perf_counter(), module.images_seen
        if trainer.is_last_batch:
            self.steps, self.end = time.perf_counter(), time.time()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what was measured."""
        module, _ = context(trainer, pl_module)
        result = {
            "images": module.images_seen - self.first,
            "steps_seconds": self.steps - self.start,
            "steps_end": self.end,
            "seconds": time.perf_counter() - self.start,
            "first_step": self.first_step,
        }
        if trainer.is_global_zero:
            self.file.write_text(json.dumps(result))
