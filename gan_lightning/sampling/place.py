"""Where samples go: whether a path may be written, by its ending, and whether the disk has room."""

import math
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import torch

from gan_lightning.errors import UserError
from gan_lightning.pixels import SIDE, grid_size, visible
from gan_lightning.sampling.idx_pair import is_idx, labels_beside
from gan_lightning.system.portable import blocks_and_slots

MAX_GRID = 1 << 26  # pixels; twice a large screen's side in each direction, 74,000 digits
IDX = "-images-idx3-ubyte"
ENDINGS = {  # of an output: what it is
    ".png": "a grid",
    ".gif": "an animation",
    ".webp": "an animation",
    ".npz": "arrays",
    ".csv": "rows of a table",
    IDX: "MNIST's format",
    "": "a folder",
}
OF_TABLES = (".csv", ".png", ".gif", ".webp")
_LABEL = 8  # bytes, int64
_FIELD = 24  # bytes of a field of a CSV file, as a rule
_PNG = 256  # bytes of a PNG beyond its pixels, at most, for small images


def free_path(path: Path) -> Path:
    """Return the path, numbered if something is there already."""
    number, candidate = 1, path
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def check_output(
    path: Path, overwrite: bool, table: bool = False, endings: Collection[str] = tuple(ENDINGS)
) -> None:
    """Raise UserError if the suffix is unknown, or not for a table's rows, or the path is taken.

    `endings` are those that may be chosen from, "" for a folder, `IDX` for MNIST's format.
    """
    idx = is_idx(path)
    if table:
        endings = [ending for ending in endings if ending in OF_TABLES]
    if (IDX if idx else path.suffix) not in endings:
        words = ", ".join(f"{ending or '/'} ({ENDINGS[ending]})" for ending in endings)
        kind = ": this is a table" if table else ""
        raise UserError(f"output={path}: end it in {words}{kind}")
    if path.suffix == ".csv" and not table:
        raise UserError(f"output={path}: this generator draws images, not rows of a table")
    place = next(one for one in path.absolute().parents if os.path.lexists(one))
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise UserError(f"output={path}: {place} is no folder that can be written to")
    taken = any(path.iterdir()) if path.is_dir() else os.path.lexists(path)
    taken = taken or (idx and os.path.lexists(labels_beside(path)))
    if taken and not overwrite:
        raise UserError(f"output={path} exists: choose another, or set overwrite=true")
    single = [path, labels_beside(path)] if idx else [path] if path.suffix else []
    for file in single:
        if file.is_dir():
            raise UserError(f"output={file} is a folder: choose another")


def is_point(shape: tuple[int, ...]) -> bool:
    """Whether [C, H, W] is the shape of a point, not of an image."""
    return tuple(shape[1:]) == (1, 1)


def grid_shape(count: int, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (columns, height, width) of the picture of `count` images [C, H, W], with borders."""
    if is_point(shape):
        return 1, SIDE, SIDE
    height, width = visible(torch.empty(1, *shape)).shape[2:]
    columns = math.isqrt(count - 1) + 1
    return columns, *grid_size(count, columns, height, width)


def disk_needed(path: Path, count: int, shape: tuple[int, ...], labelled: bool) -> tuple[int, int]:
    """Return (bytes, files) that samples [C, H, W] take at most: pixels may not compress at all."""
    pixels = math.prod(shape)
    if path.suffix == ".csv":
        return count * (pixels + labelled) * _FIELD, 1
    if path.suffix == ".png":
        _, height, width = grid_shape(count, shape)
        return (1 if shape[0] == 1 else 3) * height * width + _PNG, 1
    if is_idx(path):
        return count * (pixels + labelled), 1 + labelled
    if path.suffix == ".npz":  # the labels twice: they wait in a file of their own
        return count * (pixels + labelled * 2 * _LABEL), 1
    block, _ = blocks_and_slots(_existing(path))
    return count * math.ceil((pixels + _PNG) / block) * block, count


def _existing(path: Path) -> Path:
    """Return the nearest folder that is there."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())


def check_room(path: Path, count: int, shape: tuple[int, ...], labelled: bool) -> str:
    """Return a sentence on how much disk space the samples need.

    Raises:
        UserError: there is less space, or a grid would be too large to look at.
    """
    if path.suffix == ".png":
        _, height, width = grid_shape(count, shape)
        if height * width > MAX_GRID:
            raise UserError(
                f"output={path}: a grid of {count:,} images would have {height:,} x {width:,} "
                "pixels; end it in .npz (arrays) or / (a folder)"
            )
    needed, files = disk_needed(path, count, shape, labelled)
    place = _existing(path)
    free, slots = shutil.disk_usage(place).free, blocks_and_slots(place)[1]
    sentence = f"{count:,} samples need up to {_size(needed)} of disk"
    if needed > free:
        raise UserError(
            f"output={path}: {sentence}, {_size(free)} are free: lower num_samples or "
            "choose another place"
        )
    if 0 < slots < files:
        raise UserError(f"output={path}: its disk has room for {slots:,} files: use .npz")
    return f"{sentence}, {_size(free)} are free"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError
