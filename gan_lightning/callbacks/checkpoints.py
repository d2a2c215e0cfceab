"""When checkpoints are written, and what is in them beside Lightning's own."""

import math
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from gan_lightning.callbacks.context import context
from gan_lightning.ranges import Count, validated
from gan_lightning.training.base import GenerativeModule
from gan_lightning.training.calls import EndsCalls
from gan_lightning.training.finite import require_finite

METERS = "meters"


@validated
class Checkpoints(Checkpoint, EndsCalls):
    """Keeps `last.ckpt`, written every so many epochs and at the end, and `best.ckpt`.

    The best is the one with the lowest `monitor` among the scores that `LiveScores` measured;
    without scores there is none. Weights that are not finite are never saved.

    Lightning's ModelCheckpoint counts optimizer steps, of which a GAN has several a batch, and
    with `save_top_k=0, save_last=True` it saves nothing before the very end.
    """

    def __init__(
        self,
        directory: str,
        every_n_epochs: Count = 1,
        every_n_images: Count | None = None,  # over all ranks, within an epoch too; None: not
        monitor: str = "score/fid",  # the lower the better
    ) -> None:
        self.directory = Path(directory)
        self.every_n_epochs = every_n_epochs
        self.every_n_images = every_n_images
        self.monitor = monitor
        self.best_score = math.inf
        self._saved_at = -1  # images_seen of last.ckpt, if this process wrote it
        self._due_at = 0  # images_seen of the next one within an epoch

    @property
    def last(self) -> Path:
        return self.directory / "last.ckpt"

    def save(self, trainer: Trainer, pl_module: LightningModule, path: Path | None = None) -> None:
        """Write a checkpoint, `last.ckpt` unless told; all ranks call this together.

        Raises:
            RunError: the weights are not finite; the file that is there stays.
        """
        module, _ = context(trainer, pl_module)
        require_finite(module, module.images_seen, module.lr())
        trainer.save_checkpoint(path or self.last)
        if path is None:
            self._saved_at = module.images_seen

    def ensure(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write `last.ckpt` unless it already holds this position."""
        if self._saved_at != context(trainer, pl_module)[0].images_seen:
            self.save(trainer, pl_module)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the next multiple of `every_n_images`; restored sums go to the device."""
        module, _ = context(trainer, pl_module)
        self._schedule(module.images_seen)
        module.meters.to(module.device)

    def _schedule(self, images_seen: int) -> None:
        every = self.every_n_images
        self._due_at = (images_seen // every + 1) * every if every else 0

    def ends_call(self, module: GenerativeModule) -> bool:
        """Whether a checkpoint within the epoch is due."""
        return self.every_n_images is not None and module.images_seen >= self._due_at

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Save within an epoch; at its last batch `on_train_epoch_end` follows at once.

        Lightning later counts an epoch cut short by a time limit as a whole one.
        """
        module, _ = context(trainer, pl_module)
        due = self.ends_call(module)
        if due:
            self._schedule(module.images_seen)
        if (due or trainer.should_stop) and not trainer.is_last_batch:
            self.save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after a whole epoch."""
        module, _ = context(trainer, pl_module)
        score = module.scores.get(self.monitor, math.inf)
        if score < self.best_score:
            self.best_score = score
            self.save(trainer, pl_module, self.directory / "best.ckpt")
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if due or last:
            self.ensure(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after a limit on steps, which ends within an epoch."""
        self.ensure(trainer, pl_module)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the curves' running sums of every rank: a point may span a resume."""
        states = [context(trainer, pl_module)[0].meters.state_dict()] * trainer.world_size
        if trainer.world_size > 1:
            torch.distributed.all_gather_object(states, states[0])
        checkpoint[METERS] = states

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        states = checkpoint.get(METERS)
        if states:
            rank = trainer.global_rank % len(states)
            context(trainer, pl_module)[0].meters.load_state_dict(states[rank])

    def state_dict(self) -> dict[str, Any]:
        return {"best_score": self.best_score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_score = state_dict["best_score"]
