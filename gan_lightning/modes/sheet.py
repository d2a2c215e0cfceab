"""Rows and columns of images, and the files that they can be written to."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_lightning.pixels import COLOURS, grid, save_png, scatter, to_uint8, visible
from gan_lightning.sampling.place import is_point
from gan_lightning.system.files import atomic_write
from gan_lightning.tables import Schema

ANIMATED = {".gif": "GIF", ".webp": "WEBP"}
DURATION = 100  # milliseconds of a frame
LEAST = 112  # pixels of an image in an animation: small ones are enlarged by whole numbers


@dataclass(frozen=True)
class Sheet:
    """Images in rows and columns; along a row something changes, and an animation shows it.

    Args:
        images: float[R, K, C, H, W] in [-1, 1].
        about: what they are, in words.
        z: the latents [R, K, L], where there are any.
        y: the labels int64[R, K], where there are any.
    """

    images: Tensor
    about: str
    z: Tensor | None = None
    y: Tensor | None = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All as arrays of R * K rows, images as uint8[N, C, H, W]."""
        found = {"images": to_uint8(self.images.flatten(0, 1)).numpy()}
        more = {"labels": self.y, "latents": self.z}
        return found | {k: v.flatten(0, 1).numpy() for k, v in more.items() if v is not None}


def write_sheet(path: Path, sheet: Sheet, schema: Schema | None = None) -> None:
    """Write a strip or grid (PNG), an animation (GIF, WebP), arrays (NPZ), rows (CSV), or PNGs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        atomic_write(path, lambda file: save_png(picture(sheet.images), file))
    elif path.suffix in ANIMATED:
        atomic_write(path, lambda file: _animate(file, sheet.images, ANIMATED[path.suffix]))
    elif path.suffix == ".npz":
        atomic_write(path, lambda file: _arrays(file, sheet))
    elif schema is not None:
        atomic_write(path, lambda file: _rows(file, sheet, schema))
    else:
        path.mkdir(exist_ok=True)
        for earlier in path.glob("[0-9][0-9][0-9]-[0-9][0-9][0-9].png"):
            earlier.unlink()  # a smaller sheet must not keep old images
        for (row, column), image in _each(to_uint8(sheet.images)):
            save_png(visible(image[None])[0], path / f"{row:03d}-{column:03d}.png")


def picture(images: Tensor) -> Tensor:
    """Return uint8[C, H, W]: images[R, K, C, h, w] row by row, points as dots, a colour a row."""
    if is_point(tuple(images.shape[2:])):
        return scatter(None, images, COLOURS)
    rows, columns = images.shape[:2]
    return grid(to_uint8(images.flatten(0, 1)), rows * columns, columns)


def _each(images: Tensor) -> list[tuple[tuple[int, int], Tensor]]:
    rows, columns = images.shape[:2]
    return [((r, c), images[r, c]) for r in range(rows) for c in range(columns)]


def _animate(file: Path, images: Tensor, kind: str) -> None:
    """Write a frame for each column: the images of all rows side by side."""
    columns = math.ceil(math.sqrt(len(images)))
    blank = (-len(images)) % columns
    filled = torch.cat([images, torch.full((blank, *images.shape[1:]), -1.0)])
    frames = []
    for column in filled.unbind(1):
        shown = picture(column.unflatten(0, (-1, columns)))
        factor = max(1, LEAST // images.shape[-1]) if images.shape[-1] > 1 else 1
        shown = shown.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
        array = shown.permute(1, 2, 0).numpy()
        frames.append(Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array))
    more = {"lossless": True} if kind == "WEBP" else {}
    timing = {"save_all": True, "append_images": frames[1:], "duration": DURATION, "loop": 0}
    frames[0].save(file, format=kind, **timing, **more)


def _arrays(file: Path, sheet: Sheet) -> None:
    with file.open("wb") as opened:
        np.savez_compressed(opened, allow_pickle=False, **sheet.arrays)


def _rows(file: Path, sheet: Sheet, schema: Schema) -> None:
    points = sheet.images.flatten(0, 1).flatten(1).numpy()
    known = None if sheet.y is None else sheet.y.flatten().numpy()
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, delimiter=schema.delimiter, lineterminator="\n")
        writer.writerow(schema.header(known is not None))
        writer.writerows(schema.rows(points, known))
