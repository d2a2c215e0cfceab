"""Images that a run was not trained on, and which of a set these are."""

import torch
from torch import Tensor

from gan_lightning.data.base import DataModule, DataUnavailable
from gan_lightning.data.batches import ImageTensors


def held_out_rows(count: int, fraction: float) -> tuple[Tensor, Tensor]:
    """Return the rows to train on and those held out, at least one, ascending, always the same."""
    held = max(1, round(fraction * count))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return order[held:].sort()[0], order[:held].sort()[0]


def held_out(data: DataModule) -> ImageTensors:
    """Return the validation images; the test split if there are none; nothing without one."""
    if data.validation_set:
        return data.validation_set
    try:
        return data.split(train=False)
    except DataUnavailable:
        return ImageTensors(*(part[:0] for part in data.images[torch.arange(1)]))
