"""Several steps in one call: what Lightning does around every batch is done once for all of them.

A step is still one `training_step` on one batch, and everything counts steps: the position in the
data, limits, `global_step`, a checkpoint's progress. So a run is the same, bit for bit, however
many steps a call has, and may go on with another number. Callbacks hear of a batch's start and end
once a call.
"""

from typing import Any

from lightning import Trainer
from lightning.pytorch.loops.optimization.manual import _ManualOptimization

from gan_lightning.training.base import GenerativeModule


class EndsCalls:
    """A callback that must hear of certain steps: a call of several ends with these."""

    def ends_call(self, module: GenerativeModule) -> bool:
        """Whether the step that was just taken has to be the last of its call, on all ranks."""
        raise NotImplementedError


class SeveralSteps(_ManualOptimization):
    """Lightning's loop around `training_step`, with further steps after the first.

    A call is shorter at the end of an epoch, where a limit of Lightning's is reached, before a
    validation, and where a callback ends it.
    """

    def __init__(self, trainer: Trainer, steps_per_call: int) -> None:
        super().__init__(trainer)
        self.steps_per_call = steps_per_call

    def advance(self, kwargs: Any) -> None:
        """Take the step that Lightning has prepared, then fetch a batch for each further one."""
        super().advance(kwargs)
        for _ in range(self.steps_per_call - 1):
            if self._ends():
                return
            self._count()
            kwargs["batch"] = self._fetch()
            if "batch_idx" in kwargs:  # a `training_step` need not ask for it
                kwargs["batch_idx"] += 1
            self.trainer.lightning_module.on_train_batch_start(*kwargs.values())
            super().advance(kwargs)

    def _ends(self) -> bool:
        trainer: Any = self.trainer
        loop = trainer.fit_loop.epoch_loop
        return bool(
            loop._is_training_done
            or trainer.should_stop
            or loop._should_check_val_fx(trainer.fit_loop._data_fetcher)
            or any(
                callback.ends_call(trainer.lightning_module)
                for callback in trainer.callbacks
                if isinstance(callback, EndsCalls)
            )
        )

    def _count(self) -> None:
        """Count a step as Lightning does after it."""
        loop = self.trainer.fit_loop.epoch_loop
        loop.batch_progress.increment_processed()
        loop.batch_progress.increment_completed()
        loop._batches_that_stepped += 1

    def _fetch(self) -> Any:
        """Return the next batch on the device, counted as Lightning does before a step."""
        trainer: Any = self.trainer
        fetcher, progress = (
            trainer.fit_loop._data_fetcher,
            trainer.fit_loop.epoch_loop.batch_progress,
        )
        batch, _, _ = next(fetcher)
        progress.is_last_batch = fetcher.done
        batch = trainer.precision_plugin.convert_input(batch)
        batch = trainer.lightning_module._on_before_batch_transfer(batch, dataloader_idx=0)
        batch = trainer.strategy.batch_to_device(batch, dataloader_idx=0)
        progress.increment_ready()
        progress.increment_started()
        return batch
