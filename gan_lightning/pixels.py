"""Pixels: uint8 and [-1, 1], grids of images, points as dots, PNG files."""

from collections.abc import Iterable, Sequence
from itertools import cycle
from math import ceil
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

BORDER = 2  # pixels between the images of a grid
SIDE = 400  # pixels of a scatter plot
RADIUS = 1  # of a dot, in pixels
Colour = tuple[int, int, int]
REAL, FAKE = (184, 184, 184), (217, 64, 13)
COLOURS = (
    FAKE,
    (31, 119, 180),
    (44, 160, 44),
    (148, 103, 189),
    (140, 86, 75),
)  # of classes, in turn


def visible(images: Tensor) -> Tensor:
    """Return images[N, C, H, W] as they are if grey or in colour, else channels side by side.

    A PNG of two or four channels would take the last one, a stacked digit, for transparency.
    """
    if images.shape[1] in (1, 3):
        return images
    return images.transpose(1, 2).flatten(2, 3).unsqueeze(1)


def grid_size(count: int, columns: int, height: int, width: int) -> tuple[int, int]:
    """Return (height, width) of the grid of so many pictures; one alone has no border."""
    columns, border = min(count, columns), BORDER if count > 1 else 0
    return ceil(count / columns) * (height + border) + border, columns * (width + border) + border


def grid(images: Iterable[Tensor], count: int, columns: int, background: int = 0) -> Tensor:
    """Return a picture uint8[C, H, W] of `count` images uint8[C, h, w], row by row.

    They may come one at a time: only the picture is kept.
    """
    canvas, border = torch.empty(0), BORDER if count > 1 else 0
    for index, image in enumerate(images):
        (shown,) = visible(image[None])
        channels, height, width = shown.shape
        if not index:
            size = grid_size(count, columns, height, width)
            canvas = torch.full((channels, *size), background, dtype=torch.uint8)
        top = border + index // columns * (height + border)
        left = border + index % columns * (width + border)
        canvas[:, top : top + height, left : left + width] = shown
    return canvas


def scatter(
    reals: Tensor | None, fakes: Iterable[Tensor] = (), colours: Sequence[Colour] = (FAKE,)
) -> Tensor:
    """Return a picture uint8[3, SIDE, SIDE] of the square from -1 to 1: fakes over reals.

    The parts of the fakes have the colours in turn.

    Points [N, D, 1, 1]; of a line (D = 1) they lie side by side, reals in the lower half and
    fakes in the upper; of more than two dimensions the first two are shown.
    """
    canvas = torch.full((3, SIDE, SIDE), 255, dtype=torch.uint8)
    if reals is not None:
        _dots(canvas, _plane(reals, 0.0), REAL)
    for points, colour in zip(fakes, cycle(colours), strict=False):
        _dots(canvas, _plane(points, 0.5), colour)
    return canvas


def _plane(points: Tensor, above: float) -> Tensor:
    """Return the places [N, 2] in [0, 1], y upward."""
    flat = (points.detach().flatten(1).float().cpu() + 1) / 2
    if flat.shape[1] > 1:
        return flat[:, :2]
    heights = above + 0.5 * torch.linspace(0.1, 0.9, len(flat))
    return torch.stack([flat[:, 0], heights], dim=1)


def _dots(canvas: Tensor, places: Tensor, colour: Colour) -> None:
    pixels = (places * (SIDE - 1)).round().long()
    steps = torch.arange(-RADIUS, RADIUS + 1)
    offsets = torch.cartesian_prod(steps, steps)
    column, row = (pixels[:, None] + offsets).clamp(0, SIDE - 1).flatten(0, 1).T
    canvas[:, SIDE - 1 - row, column] = torch.tensor(colour, dtype=torch.uint8)[:, None]


def to_unit_range(image: Tensor) -> Tensor:
    """Scale uint8 [0, 255] to float32 [-1, 1], the range of tanh; leave floats as they are."""
    if image.is_floating_point():
        return image
    return image.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """Map images in [-1, 1] to uint8 in [0, 255], the inverse of the data's scaling."""
    if images.dtype == torch.uint8:
        return images
    return ((images + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def save_png(picture: Tensor, path: Path) -> None:
    """Save uint8[C, H, W], C 1 or 3."""
    array = picture.permute(1, 2, 0).numpy()
    Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array).save(path, format="PNG")
