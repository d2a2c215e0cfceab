"""The progress bar."""

import logging
import warnings

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar


class ProgressBar(TQDMProgressBar):
    """Lightning's bar with images/s and the two losses, without a version number."""

    def get_metrics(self, trainer: Trainer, model: LightningModule) -> dict:
        items = super().get_metrics(trainer, model)
        items.pop("v_num", None)
        return items


_MESSAGES = (
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*in eval mode at the start of training.*",  # the average, on purpose
    ".*Grad strides do not match bucket view strides.*",  # one layer of one channel
    ".*Consider setting `persistent_workers=True`.*",
    ".*your dataloader is not resumable.*",  # its sampler is, and the data module sees to it
    ".*torch.distributed.nn.functional.all_gather.*",  # lightning 2.6.6 calls it
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
        """Run first thing in a new process."""
        quiet()
