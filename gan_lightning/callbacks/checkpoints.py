"""When checkpoints are written."""

import math
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from gan_lightning.callbacks.context import context


class Checkpoints(Checkpoint):
    """Keeps `last.ckpt`, written every so many epochs and at the end, and `best.ckpt`.

    The best is the one with the lowest `monitor` among the scores that `LiveScores` measured;
    without scores there is none.

    Lightning's ModelCheckpoint counts optimizer steps, of which a GAN has several a batch, and
    with `save_top_k=0, save_last=True` it saves nothing before the very end.

    Args:
        directory: of the checkpoints.
        every_n_epochs: how often.
        monitor: a score; the lower the better.
    """

    def __init__(self, directory: str, every_n_epochs: int = 1, monitor: str = "score/fid") -> None:
        self.directory = Path(directory)
        self.every_n_epochs = every_n_epochs
        self.monitor = monitor
        self.best_score = math.inf
        self.cut_short = False

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.directory / "last.ckpt"

    def on_train_batch_end(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        """Save when a time limit cuts an epoch short: later, Lightning takes it for a whole one."""
        self.cut_short = trainer.should_stop and not trainer.is_last_batch
        if self.cut_short:
            trainer.save_checkpoint(self.last)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after a whole epoch."""
        module, _ = context(trainer, pl_module)
        score = module.scores.get(self.monitor, math.inf)
        if score < self.best_score:
            self.best_score = score
            trainer.save_checkpoint(self.directory / "best.ckpt")
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if (due or last) and not self.cut_short:
            trainer.save_checkpoint(self.last)

    def state_dict(self) -> dict[str, Any]:
        """Return the best score so far, for the checkpoint."""
        return {"best_score": self.best_score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it."""
        self.best_score = state_dict["best_score"]
