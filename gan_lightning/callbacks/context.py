"""The typed module and data of a run, for callbacks."""

from lightning import LightningModule, Trainer

from gan_lightning.data import DataModule
from gan_lightning.training.base import GenerativeModule


def context(trainer: Trainer, module: LightningModule) -> tuple[GenerativeModule, DataModule]:
    """Return the module and its data, typed; raise TypeError if the trainer runs something else."""
    data = getattr(trainer, "datamodule", None)
    if not isinstance(module, GenerativeModule) or not isinstance(data, DataModule):
        raise TypeError("this callback needs a GenerativeModule and a DataModule")
    return module, data
