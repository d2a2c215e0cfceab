"""Arrays of images and labels in a file, under the names and in the shapes that people use."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_lightning.data.idx import read_idx
from gan_lightning.data.npz import ALL, MAX_BYTES, array_names, read_array
from gan_lightning.errors import UserError

Arrays = tuple[Tensor, Tensor | None]
# Names in NPZ files, whatever their case: sample.py's, Keras's, MedMNIST's, np.savez's own.
IMAGES = ("images", "x_train", "train_images", "x", "data", "arr_0")
LABELS = ("labels", "y_train", "train_labels", "y", "targets", "target", "arr_1")
TEST_IMAGES = ("test_images", "x_test")
TEST_LABELS = ("test_labels", "y_test")
PART = 1000  # images converted at a time


def read_split(
    path: Path,
    labels: Path | None = None,
    train: bool = True,
    limit: int = ALL,
    largest: int = MAX_BYTES,
) -> Arrays | None:
    """Return (uint8[N, C, S, S], labels int64[N] or None); None if there is no test split.

    Args:
        path: an NPZ, NPY or IDX file, the last perhaps gzipped.
        labels: an NPY or IDX file with the labels; those of an NPZ file are in it.
        limit, largest: how many images, and numbers in an image.

    Raises:
        UserError: it is damaged, of another kind, or holds something else.
    """
    if not train and path.suffix != ".npz":
        return None
    name = _name_of(path, IMAGES if train else TEST_IMAGES)
    if path.suffix == ".npz" and not name:
        if not train:
            return None
        there = ", ".join(array_names(path)) or "none"
        raise UserError(f"{path} has no array `{'`, `'.join(IMAGES[:-1])}`; its arrays: {there}")
    images = _array(path, name, 3, limit, largest)
    what = f"{path}, array `{name}`" if name else str(path)
    pictures, found = _to_tensor(what, images), read_labels(path, labels, train, limit)
    if found is not None and len(found) != len(images):
        raise UserError(f"{path}: {len(images):,} images but {len(found):,} labels")
    return pictures, found


def read_labels(
    path: Path, labels: Path | None = None, train: bool = True, limit: int = ALL
) -> Tensor | None:
    """Return the labels int64[N] of a file of images; arguments and errors as of `read_split`."""
    if path.suffix == ".npz" and labels:
        raise UserError(
            "data.labels is for .npy and IDX files: put an array `labels` into the .npz"
        )
    name = _name_of(path, LABELS if train else TEST_LABELS)
    if not name and not labels:
        return None
    found = _array(labels or path, name, 1, limit)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise UserError(f"{labels or path}: labels must be [N], not {list(found.shape)}")
    return torch.from_numpy(found.astype(np.int64))


def _name_of(path: Path, names: Sequence[str]) -> str:
    """Return the first of these names that an array of an NPZ file has; empty without one."""
    found = {name.lower(): name for name in array_names(path)} if path.suffix == ".npz" else {}
    return next((found[name] for name in names if name in found), "")


def _array(
    path: Path, name: str, dimensions: int, limit: int, largest: int = MAX_BYTES
) -> np.ndarray:
    if path.suffix in (".npz", ".npy"):
        return read_array(path, name, dimensions == 3, limit, largest)
    if path.suffix in ("", ".gz", ".idx") or path.suffix.endswith("ubyte"):
        return read_idx(path, dimensions)[:limit]
    raise UserError(f"{path}: arrays are read from .npz, .npy and IDX files (...-ubyte, .gz)")


def _to_tensor(what: str, images: np.ndarray) -> Tensor:
    """Return the central squares, uint8[N, C, S, S], of [N, H, W], [N, C, H, W] or [N, H, W, C]."""
    if images.ndim not in (3, 4) or not images.size:
        raise UserError(
            f"{what}: images must be [N, H, W], [N, C, H, W] or [N, H, W, C], at least one; "
            f"this is {images.dtype} {list(images.shape)}"
        )
    images = _to_bytes(what, images)
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[3] in (1, 2, 3, 4) and images.shape[1] not in (1, 2, 3, 4):
        images = images.transpose(0, 3, 1, 2)
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side]
    return torch.from_numpy(square).contiguous()


def _to_bytes(what: str, images: np.ndarray) -> np.ndarray:
    """Return uint8: floats from 0 to 1, or from below 0 to 1, are certain to mean grey levels."""
    if images.dtype == np.uint8:
        return images
    low, high = images.min(), images.max()
    if low >= 0 and high <= 1 and ((images > 0) & (images < 1)).any():
        scale, shift = 255.0, 0.0
    elif -1 <= low < 0 and high <= 1:
        scale, shift = 127.5, 127.5
    else:
        line = "255 * (images - images.min()) / np.ptp(images)"
        if low >= 0 and high <= 255:
            line = "images.round()" if high > 1 else "255 * images"
        raise UserError(
            f"{what}: floats from {low:g} to {high:g} may mean anything, only [0, 1] and [-1, 1] "
            f"are read: save np.uint8({line})"
        )
    found = np.empty(images.shape, np.uint8)
    for first in range(0, len(images), PART):
        part = images[first : first + PART].astype(np.float64)
        found[first : first + PART] = np.rint(part * scale + shift)
    return found
