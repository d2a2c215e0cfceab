"""DiffAugment: always the same transforms, drawn anew for every image."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lightning.augment.base import Augment, gather, uniform


def change_color(x: Tensor) -> Tensor:
    """Add +-1/2 to all; stretch channels by 0 to 2 about their mean, then all by 1/2 to 3/2."""
    brightness, saturation, contrast = (
        uniform(x, low, high)[:, None, None, None]
        for low, high in ((-0.5, 0.5), (0.0, 2.0), (0.5, 1.5))
    )
    x = x + brightness
    gray = x.mean(dim=1, keepdim=True)
    x = gray + (x - gray) * saturation
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * contrast


def translate(x: Tensor, ratio: float = 0.125) -> Tensor:
    """Shift by up to `ratio` of the side each way, in whole pixels; fill with 0."""
    batch, _, height, width = x.shape
    (rows, row_inside), (columns, column_inside) = (
        _moved(side, round(ratio * side), batch, x.device) for side in (height, width)
    )
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    return gather(x, rows[:, :, None] * width + columns[:, None, :]) * inside[:, None]


def _moved(side: int, most: int, batch: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return where each place of an axis comes from [B, side], and whether that is inside."""
    shift = torch.randint(-most, most + 1, (batch, 1), device=device)
    place = torch.arange(side, device=device) + shift
    return place.clamp(0, side - 1), (place >= 0) & (place < side)


def cutout(x: Tensor, ratio: float = 0.5) -> Tensor:
    """Set a rectangle of `ratio` of the sides to 0, its centre anywhere."""
    batch, _, height, width = x.shape
    rows, columns = (_near(side, round(ratio * side), batch, x.device) for side in (height, width))
    return x * ~(rows[:, :, None] & columns[:, None, :])[:, None]


def _near(side: int, size: int, batch: int, device: torch.device) -> Tensor:
    """Return a random run of `size` places of an axis as bool[B, side]."""
    start = torch.randint(0, side + 1 - size % 2, (batch, 1), device=device) - size // 2
    place = torch.arange(side, device=device)
    return (place >= start) & (place < start + size)


TRANSFORMS = {"color": change_color, "translation": translate, "cutout": cutout}


class DiffAugment(Augment):
    """Random colour, translation and cutout.

    Source: Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training,
    section 3 and its reference code.

    Args:
        policy: which of color, translation, cutout, in which order.

    Raises:
        ValueError: there is no transform of that name.
    """

    def __init__(self, policy: Sequence[str] = ("color", "translation", "cutout")) -> None:
        super().__init__()
        for name in policy:
            if name not in TRANSFORMS:
                raise ValueError(f"policy: {name!r} is none of {', '.join(TRANSFORMS)}")
        self.policy = list(policy)

    def forward(self, images: Tensor) -> Tensor:
        for name in self.policy:
            images = TRANSFORMS[name](images)
        return images
