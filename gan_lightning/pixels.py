"""What can be seen of samples: points as dots, digits in channels that no picture has."""

from collections.abc import Iterable

import torch
from torch import Tensor

SIDE = 400  # pixels
RADIUS = 1  # of a dot, in pixels
REAL, FAKE = (0.72, 0.72, 0.72), (0.85, 0.25, 0.05)


def visible(images: Tensor) -> Tensor:
    """Return images[N, C, H, W] as grey or colour ones; other channels stand side by side, grey.

    A PNG of two or four channels would take the last one, a stacked digit, for transparency.
    """
    if images.shape[1] in (1, 3):
        return images
    return images.transpose(1, 2).flatten(2, 3).unsqueeze(1)


def scatter(reals: Tensor | None, fakes: Iterable[Tensor] = ()) -> Tensor:
    """Return a picture [3, SIDE, SIDE] in [0, 1] of the square from -1 to 1: fakes over reals.

    Points [N, D, 1, 1]; of a line (D = 1) they lie side by side, reals in the lower half and
    fakes in the upper; of more than two dimensions the first two are shown.
    """
    canvas = torch.ones(3, SIDE, SIDE)
    if reals is not None:
        _dots(canvas, _plane(reals, 0.0), REAL)
    for points in fakes:
        _dots(canvas, _plane(points, 0.5), FAKE)
    return canvas


def _plane(points: Tensor, above: float) -> Tensor:
    """Return the places [N, 2] in [0, 1], y upward."""
    flat = (points.detach().flatten(1).float().cpu() + 1) / 2
    if flat.shape[1] > 1:
        return flat[:, :2]
    heights = above + 0.5 * torch.linspace(0.1, 0.9, len(flat))
    return torch.stack([flat[:, 0], heights], dim=1)


def _dots(canvas: Tensor, places: Tensor, colour: tuple[float, float, float]) -> None:
    pixels = (places * (SIDE - 1)).round().long()
    steps = torch.arange(-RADIUS, RADIUS + 1)
    offsets = torch.cartesian_prod(steps, steps)
    column, row = (pixels[:, None] + offsets).clamp(0, SIDE - 1).flatten(0, 1).T
    canvas[:, SIDE - 1 - row, column] = torch.tensor(colour)[:, None]


def to_unit_range(image: Tensor) -> Tensor:
    """Scale uint8 [0, 255] to float32 [-1, 1], the range of tanh; leave floats as they are."""
    if image.is_floating_point():
        return image
    return image.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """Map images in [-1, 1] to uint8 in [0, 255], the inverse of the data's scaling."""
    return ((images + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
