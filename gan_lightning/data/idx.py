"""IDX files, the format of MNIST, read with suspicion.

torchvision takes any file of the right name for the set, and checks the compressed file alone.

Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".
"""

import gzip
import hashlib
import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gan_lightning.data.npz import MAX_BYTES, UNREADABLE, read_bytes
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

UINT8 = 8  # the code of the type

# SHA-256 of the unpacked files. Only of sets that were at hand to compute it from.
KNOWN = {
    "MNIST": {
        "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
}


class CorruptFile(UserError):
    """A data file exists but does not hold what its name says."""


def corrupt(path: Path, reason: object) -> CorruptFile:
    """Return the error that names a file and what is wrong with it."""
    if isinstance(reason, OSError) and reason.strerror:
        reason = reason.strerror
    return CorruptFile(f"corrupt IDX file: {path}: {printable(str(reason))[:300]}")


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Return the uint8 array of an IDX file of images (3 dimensions) or labels (1), or of its .gz.

    Raises:
        CorruptFile: it does not exist, or is not a whole IDX file with that many dimensions.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            shape = _read_shape(file)
            if len(shape) != dimensions:
                raise ValueError(f"{list(shape)} where {dimensions} dimensions are wanted")
            content = read_bytes(file.read, math.prod(shape))
            if file.read(1):
                raise ValueError(f"more bytes than {list(shape)} need")
    except UNREADABLE as error:
        raise corrupt(path, error) from error
    return np.ndarray(shape, np.uint8, content)


def check_idx(path: Path) -> None:
    """Look at the header and the size of an IDX file that is not gzipped.

    Raises:
        CorruptFile: it is not an IDX file, or its size does not fit its header.
    """
    try:
        with path.open("rb") as file:
            shape = _read_shape(file)
            found = os.fstat(file.fileno()).st_size - file.tell()
        if found != math.prod(shape):
            raise ValueError(f"{found:,} bytes, where {list(shape)} need {math.prod(shape):,}")
    except UNREADABLE as error:
        raise corrupt(path, error) from error


def _read_shape(file: BinaryIO | gzip.GzipFile) -> tuple[int, ...]:
    head = file.read(4)
    if len(head) < 4 or head[:3] != bytes([0, 0, UINT8]) or head[3] not in (1, 3):
        raise ValueError("no header of images or labels")
    sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise ValueError("its header is cut off")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    if math.prod(shape) > MAX_BYTES:
        raise ValueError(f"{list(shape)} are too large")
    return shape


def unlike_known(dataset: str, name: str, array: np.ndarray) -> bool:
    """Whether a file of a well-known set, with this array in it, is another than everybody's."""
    expected = KNOWN.get(dataset, {}).get(name.partition("-idx")[0])
    digest = hashlib.sha256(bytes([0, 0, UINT8, array.ndim]))
    digest.update(np.array(array.shape, ">u4").tobytes())
    digest.update(array.data)
    return expected is not None and digest.hexdigest() != expected
