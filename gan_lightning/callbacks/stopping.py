"""How a run ends before its time: at a batch's end, saved, all ranks together."""

import multiprocessing
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from gan_lightning.callbacks.checkpoints import Checkpoints
from gan_lightning.callbacks.context import context
from gan_lightning.system.folder_lock import hold_rank
from gan_lightning.system.signals import SIGNALS, end_with_parent, skip_finalization
from gan_lightning.training.finite import require_finite


class GracefulEnd(Checkpoint):
    """Ends a run that got a signal as soon as its state is whole, with a checkpoint to go on from.

    Ranks agree once a batch whether one of them was asked to end, over gloo, so that nothing waits
    for a GPU. It is a `Checkpoint` because Lightning calls these after all others: it has to come
    after those that save.
    """

    def __init__(self) -> None:
        self._group: Any = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Handle signals, and keep the folder, in every process that a strategy started."""
        SIGNALS.install()
        if trainer.global_rank or multiprocessing.parent_process() is not None:
            hold_rank(Path(trainer.default_root_dir), trainer.global_rank)
        if multiprocessing.parent_process() is not None:
            end_with_parent()  # from here on the next start waits for this rank
            skip_finalization()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take SIGTERM back from Lightning, whose handler ends with status 0."""
        if trainer.world_size > 1:
            self._group = torch.distributed.new_group(backend="gloo")
        SIGNALS.install()
        SIGNALS.training = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """End within an epoch; after its last batch `on_train_epoch_end` follows at once."""
        if not trainer.is_last_batch:
            self._end_if_asked(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End between two epochs; the last one ends by itself."""
        if trainer.current_epoch + 1 != trainer.max_epochs and not trainer.should_stop:
            self._end_if_asked(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        SIGNALS.training = False  # nothing to wait for

    def _end_if_asked(self, trainer: Trainer, pl_module: LightningModule) -> None:
        status = SIGNALS.status
        if self._group is not None:
            agreed = torch.tensor(status)
            torch.distributed.all_reduce(agreed, torch.distributed.ReduceOp.MAX, self._group)
            status = int(agreed)
        if not status:
            return
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # a connector sets it
            if isinstance(callback, Checkpoints):
                callback.ensure(trainer, pl_module)
        if trainer.fit_loop._data_fetcher is not None:  # its workers end in order
            trainer.fit_loop._data_fetcher.teardown()
            trainer.fit_loop._data_fetcher = None  # Lightning would end it a second time
        raise SystemExit(status)


class FiniteWeights(Callback):
    """Looks at the weights before an epoch's pictures, scores and files are made of them."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise a `RunError` if they are not finite."""
        module, _ = context(trainer, pl_module)
        require_finite(module, module.images_seen, module.lr())
