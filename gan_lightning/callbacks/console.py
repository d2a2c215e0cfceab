"""What a person sees while a run goes on: the bar, pictures in a notebook, no small talk."""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar


class ProgressBar(TQDMProgressBar):
    """Lightning's bar with images/s and the two losses, without a version number."""

    def get_metrics(self, trainer: Trainer, model: LightningModule) -> dict:
        items = super().get_metrics(trainer, model)
        items.pop("v_num", None)
        return items

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the steps that were taken: a call may have several."""
        taken = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        super().on_train_batch_end(trainer, pl_module, outputs, batch, taken - 1)


def show_in_notebook(picture: Path) -> None:
    """Show a PNG below the cell of a notebook, in place of the one before from its folder."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from IPython.display import Image, display

    place = f"{picture.parent} {shell.execution_count}"
    display(Image(filename=str(picture)), display_id=place, update=place in _shown)
    _shown.add(place)


_shown: set[str] = set()  # places in the notebook that have a picture
_MESSAGES = (
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*in eval mode at the start of training.*",  # the average, on purpose
    ".*Grad strides do not match bucket view strides.*",  # one layer of one channel
    ".*Consider setting `persistent_workers=True`.*",
    ".*your dataloader is not resumable.*",  # its sampler is, and the data module sees to it
    ".*torch.distributed.nn.functional.all_gather.*",  # lightning 2.6.6 calls it
    ".*have no `validation_step`.*",  # a way of training may have nothing to measure
    ".*isinstance.treespec, LeafSpec.*",  # lightning 2.6.6 on torch 2.15
)


def quiet() -> None:
    """Filter Lightning's small talk in this process."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # When one rank ends, torch ends the others, and says so; we say why.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    for message in _MESSAGES:
        warnings.filterwarnings("ignore", message)


class Quiet(Callback):
    """Calls `quiet` in every process that a strategy starts."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        quiet()
