"""What all sets of images share: square, of one size, uint8 in memory, [-1, 1] on the device."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.data.base import DataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.pixels import grid, to_uint8, to_unit_range
from gan_lightning.ranges import Count, validated


@validated
class ImageDataModule(DataModule):
    """Serves batches (image[B, C, H, W] float in [-1, 1] on the device, label[B] int64).

    A subclass's `load` returns (uint8[N, C, H, W], int64[N]).

    Args:
        resolution: side of the square images; others are resized (28 to 32: padded).
        kwargs: as of `DataModule`.
    """

    def __init__(
        self, name: str, resolution: Count = 28, channels: Count = 1, **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self.resolution = resolution
        self.channels = channels

    def split(self, train: bool) -> ImageTensors:
        """Return a whole split with the chosen classes at the chosen resolution."""
        whole = super().split(train)
        return ImageTensors(resize(whole.images, self.resolution), whole.labels)

    def picture(
        self, samples: Tensor | None = None, columns: int = 10, labels: Tensor | None = None
    ) -> Tensor:
        """Return a grid uint8[C, H, W], row by row; None: of the first training images."""
        images = self.images.images[: columns * columns] if samples is None else samples
        return grid(to_uint8(images), len(images), columns)

    def on_after_batch_transfer(self, batch: Sequence[Tensor], _: int) -> tuple[Tensor, Tensor]:
        """Scale on the device: uint8 -> (0, 1) -> (-1, 1); floats are there already."""
        image, label = batch
        return to_unit_range(image), label


def resize(images: Tensor, resolution: int) -> Tensor:
    """Bring uint8[N, C, H, W] to that resolution: 28 to 32 by padding, else bicubic."""
    size = images.shape[-1]
    if size == resolution:
        return images
    if (size, resolution) == (28, 32):
        return F.pad(images, (2, 2, 2, 2))
    scaled = F.interpolate(
        images.float(), (resolution, resolution), mode="bicubic", antialias=size > resolution
    )
    return scaled.round().clamp(0, 255).to(torch.uint8)
