"""Arrays of NPZ and NPY files, read with suspicion: nothing is unpickled, or beyond a bound."""

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

ALL = 1 << 62  # rows
MAX_BYTES = 16 << 30  # of an array
IMAGES = ("|u1", "<f2", "<f4", "<f8", ">f2", ">f4", ">f8")  # what arrays of images may hold
# Whatever zipfile, zlib and NumPy's header parser raise at content that is none of theirs.
UNREADABLE = (
    *(OSError, KeyError, ValueError, EOFError, TypeError, RuntimeError, IndexError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, MemoryError, OverflowError),
    *(NotImplementedError, AttributeError, tokenize.TokenError),
)


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in an NPZ file; UserError if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    return [printable(name.removesuffix(".npy")) for name in names if name.endswith(".npy")]


def read_array(
    path: Path, name: str, images: bool, limit: int = ALL, largest: int = MAX_BYTES
) -> np.ndarray:
    """Return the first rows of an array, [N, ...]; what else is packed there is not unpacked.

    Args:
        path: an NPZ or NPY file.
        name: of the array in an NPZ file.
        images: the array must hold bytes or floats; else whole numbers.
        limit, largest: how many rows, and numbers in a row.

    Raises:
        UserError: it is of another kind, too large, or damaged.
    """
    try:
        with ExitStack() as stack:
            if path.suffix == ".npy":
                return _read(stack.enter_context(path.open("rb")), images, limit, largest)
            archive = stack.enter_context(zipfile.ZipFile(path))
            file = stack.enter_context(archive.open(f"{name}.npy"))
            return _read(file, images, limit, largest)
    except UNREADABLE as error:
        raise unreadable(path, error, name) from error


def unreadable(path: Path, error: BaseException, name: str = "") -> UserError:
    """Return the error that names the file and the array, and says what is wrong."""
    array = f", array `{name}`" if name else ""
    return UserError(f"{path}{array} cannot be read: {printable(str(error))[:300]}")


def _read(file: IO[bytes], images: bool, limit: int, largest: int) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
        version, np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(file)
    if dtype.str not in IMAGES if images else dtype.kind not in "iu":
        wanted = "must be uint8 (0 to 255) or floats" if images else "must be whole numbers"
        raise ValueError(f"it {wanted}, [N, ...]; it is {dtype} {list(shape)}")
    if not shape or not all(0 <= n < ALL for n in shape):
        raise ValueError(f"it must be [N, ...]; its shape is {list(shape)}")
    rows, row = min(limit, shape[0]), math.prod(shape[1:])
    if fortran and rows < shape[0]:
        raise ValueError("it is not kept row after row: np.ascontiguousarray does it")
    if row > largest or rows * row * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"{list(shape)} are too large")
    content = read_bytes(file.read, rows * row * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape((rows, *shape[1:]), order="F" if fortran else "C")


def read_bytes(read: Callable[[int], bytes], size: int) -> bytearray:
    """Return so many bytes; ValueError, and no memory wasted, if a file has less than it says."""
    content = bytearray()
    while missing := size - len(content):
        part = read(min(missing, 1 << 20))
        if not part:
            raise ValueError(f"{size:,} bytes are promised, {len(content):,} are there")
        content += part
    return content
