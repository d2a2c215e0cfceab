"""What a callback of this project may rely on."""

from lightning import LightningModule, Trainer

from gan_lightning.data import ImageDataModule
from gan_lightning.training.base import GenerativeModule


def context(trainer: Trainer, module: LightningModule) -> tuple[GenerativeModule, ImageDataModule]:
    """Return the module and its data, typed.

    Raises:
        TypeError: the trainer runs something else.
    """
    data = getattr(trainer, "datamodule", None)
    if not isinstance(module, GenerativeModule) or not isinstance(data, ImageDataModule):
        raise TypeError("this callback needs a GenerativeModule and an ImageDataModule")
    return module, data
