"""Affine maps of images that can be differentiated any number of times."""

import torch
from torch import Tensor

from gan_lightning.augment.base import gather


def _matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return [B, 3, 3] from two rows of [B] each, the last row being 0 0 1."""
    zero, one = torch.zeros_like(rows[0][0]), torch.ones_like(rows[0][0])
    return torch.stack([torch.stack(row, 1) for row in (*rows, (zero, zero, one))], 1)


def translation(columns: Tensor, rows: Tensor) -> Tensor:
    """Return [B, 3, 3] that adds so many columns and rows."""
    zero, one = torch.zeros_like(rows), torch.ones_like(rows)
    return _matrix((one, zero, columns), (zero, one, rows))


def scaling(columns: Tensor, rows: Tensor) -> Tensor:
    """Return [B, 3, 3] that multiplies columns and rows."""
    zero = torch.zeros_like(rows)
    return _matrix((columns, zero, zero), (zero, rows, zero))


def rotation(angle: Tensor) -> Tensor:
    """Return [B, 3, 3] that turns by angles in radians."""
    zero = torch.zeros_like(angle)
    return _matrix((angle.cos(), -angle.sin(), zero), (angle.sin(), angle.cos(), zero))


def resample(x: Tensor, source: Tensor) -> Tensor:
    """Sample x[B, C, H, W] bilinearly at the places to which source[B, 3, 3] maps output pixels.

    Coordinates are (column, row, 1) in pixels from the middle of the image; borders reflect.
    `F.grid_sample` has no second derivative; gathering the four neighbours has one.
    """
    height, width = x.shape[2:]
    columns = torch.arange(width, device=x.device, dtype=x.dtype) - (width - 1) / 2
    rows = torch.arange(height, device=x.device, dtype=x.dtype) - (height - 1) / 2
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy")).flatten(1)
    there = source[:, :2, :2] @ grid + source[:, :2, 2:]
    column = there[:, 0].unflatten(1, (height, width)) + (width - 1) / 2
    row = there[:, 1].unflatten(1, (height, width)) + (height - 1) / 2
    left, top = column.floor(), row.floor()

    def at(down: int, right: int) -> Tensor:
        return gather(x, _reflect(top + down, height) * width + _reflect(left + right, width))

    across, along = (column - left)[:, None], (row - top)[:, None]
    upper = torch.lerp(at(0, 0), at(0, 1), across)
    lower = torch.lerp(at(1, 0), at(1, 1), across)
    return torch.lerp(upper, lower, along)


def _reflect(place: Tensor, side: int) -> Tensor:
    """Return whole numbers, mirrored at the first and at the last pixel as often as needed."""
    period = max(2 * (side - 1), 1)
    place = place.long() % period
    return torch.minimum(place, period - place)
