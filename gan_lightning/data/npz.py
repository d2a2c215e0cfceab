"""Arrays of an NPZ file, read with suspicion: nothing is unpickled, or unpacked beyond a bound."""

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

NAMES = ("images", "labels", "test_images", "test_labels")
MAX_IMAGE = 3 * 512 * 512  # pixels times channels: sets of small images
MAX_BYTES = 16 << 30  # of what is asked for, unpacked
# Whatever zipfile, zlib and NumPy's header parser raise at content that is none of theirs.
UNREADABLE = (
    *(OSError, KeyError, ValueError, EOFError, TypeError, RuntimeError, IndexError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, MemoryError, OverflowError),
    *(NotImplementedError, AttributeError, tokenize.TokenError),
)


def read_arrays(
    path: Path, names: Sequence[str], limit: int = 1 << 62, largest: int = MAX_BYTES
) -> dict[str, np.ndarray]:
    """Return those of the named arrays that are there: `...images` uint8, others whole numbers.

    Args:
        path: of the file.
        names: of the arrays.
        limit: rows of each.
        largest: a row, in numbers.

    Raises:
        UNREADABLE: one of them, whatever is wrong.
    """
    with zipfile.ZipFile(path) as archive:
        there = archive.namelist()
        return {
            name: _read_array(archive, f"{name}.npy", limit, largest)
            for name in names
            if f"{name}.npy" in there
        }


def _read_array(archive: zipfile.ZipFile, name: str, limit: int, largest: int) -> np.ndarray:
    """Return the first rows of an array; what else is packed in the file is not unpacked."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(file)
        bytes_wanted = name.endswith("images.npy")
        if dtype != np.uint8 if bytes_wanted else dtype.kind not in "iu":
            wanted = "uint8" if bytes_wanted else "whole numbers"
            raise ValueError(f"{name} must be {wanted} [N, ...]; it is {dtype} {list(shape)}")
        if not shape or not all(0 <= n < 1 << 62 for n in shape):
            raise ValueError(f"{name} must be [N, ...]; its shape is {list(shape)}")
        rows, row = min(limit, shape[0]), math.prod(shape[1:])
        if fortran and rows < shape[0]:
            raise ValueError(f"{name} is not kept row after row: np.ascontiguousarray does it")
        if row > largest or rows * row > MAX_BYTES:
            raise ValueError(f"{name}: {list(shape)} are too large")
        content = read_bytes(file.read, rows * row * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape((rows, *shape[1:]), order="F" if fortran else "C")


def read_bytes(read: Callable[[int], bytes], size: int) -> bytearray:
    """Return so many bytes; a file that promises more than it has costs no memory.

    Raises:
        ValueError: it ends before.
    """
    content = bytearray()
    while missing := size - len(content):
        part = read(min(missing, 1 << 20))
        if not part:
            raise ValueError(f"{size:,} bytes are promised, {len(content):,} are there")
        content += part
    return content


def read_npz(
    path: Path, names: Sequence[str] = NAMES, limit: int = 1 << 62, largest: int = MAX_BYTES
) -> dict[str, np.ndarray]:
    """Return those of the named arrays of an NPZ file that are there, as `read_arrays`.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return read_arrays(path, names, limit, largest)
    except UNREADABLE as error:
        raise UserError(f"{path}: no NPZ file of images ({printable(str(error))[:300]})") from error


def as_tensors(
    name: str, images: np.ndarray, labels: np.ndarray | None
) -> tuple[Tensor, Tensor | None]:
    """Return both as tensors: uint8[N, C, H, W], int64[N].

    Raises:
        UserError: of another type or shape, none at all, or not as many labels as images.
    """
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[3] in (1, 3) and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise UserError(
            f"{name}: `images` must be uint8 [N, H, W], [N, C, H, W] or [N, H, W, C], at least "
            f"one; it is {images.dtype} {list(images.shape)}"
        )
    found = torch.from_numpy(np.ascontiguousarray(images))
    if labels is None:
        return found, None
    if labels.ndim != 1:
        raise UserError(f"{name}: `labels` must be whole numbers [N], not {list(labels.shape)}")
    if len(labels) != len(images):
        raise UserError(f"{name}: {len(images):,} images but {len(labels):,} labels")
    return found, torch.from_numpy(labels.astype(np.int64))
