"""Images that a run was not trained on."""

import torch

from gan_lightning.data.base import DataModule, DataUnavailable
from gan_lightning.data.batches import ImageTensors


def held_out(data: DataModule) -> ImageTensors:
    """Return the validation images; the test split if there are none; nothing without one."""
    if data.validation_set:
        return data.validation_set
    try:
        return data.split(train=False)
    except DataUnavailable:
        return ImageTensors(*(part[:0] for part in data.images[torch.arange(1)]))
