"""IDX files, the format of MNIST: reading them with suspicion, fetching them with patience.

torchvision takes any file of the right name for the set, checks the compressed file alone, writes
downloads under their final name and gives up at a reset connection. Its lists of files, mirrors
and MD5 sums are used here, and its `download_url`.

Source: LeCun's description of the format, with the MNIST files.
"""

import gzip
import hashlib
import math
import os
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_lightning.data.npz import MAX_BYTES, UNREADABLE, read_bytes
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

_UINT8 = 8  # the type code

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
    """A data file that is there, but is not what its name says."""


def idx_shape(path: Path) -> tuple[int, ...]:
    """Return the shape that an IDX file of bytes says and has; nothing is read but the header.

    Raises:
        CorruptFile: it is none, or is longer or shorter than it says.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            zeros, kind, dims = struct.unpack(">HBB", start) if len(start) == 4 else (1, 0, 0)
            header = file.read(4 * dims)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise CorruptFile(f"corrupt IDX file: {path}: {error.strerror}") from error
    if zeros or kind != _UINT8 or dims not in (1, 3) or len(header) < 4 * dims:
        raise CorruptFile(f"corrupt IDX file: {path}: no header of images or labels")
    shape = struct.unpack(f">{dims}I", header)
    if size != 4 + 4 * dims + math.prod(shape):
        found = f"{size:,} bytes, where {list(shape)} need {4 + 4 * dims + math.prod(shape):,}"
        raise CorruptFile(f"corrupt IDX file: {path}: {found}")
    return shape


def read_idx(path: Path) -> Tensor:
    """Return the images uint8[N, H, W] or labels uint8[N] of an IDX file.

    Raises:
        CorruptFile: see `idx_shape`.
    """
    shape = idx_shape(path)
    with path.open("rb") as file:
        file.seek(4 + 4 * len(shape))
        content = bytearray(file.read(math.prod(shape)))
    if len(content) != math.prod(shape):
        raise CorruptFile(f"corrupt IDX file: {path}: it changed while it was read")
    if not content:  # `frombuffer` takes nothing for a mistake
        return torch.empty(shape, dtype=torch.uint8)
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)


def unlike_known(folder: Path, name: str) -> bool:
    """Whether a file of a well-known set has another content than everybody's."""
    expected = KNOWN.get(folder.parent.name, {}).get(name.partition("-idx")[0])
    if expected is None:
        return False
    with (folder / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() != expected


UINT8 = 8  # IDX's code of the type


def read_idx_array(path: Path, dimensions: int) -> np.ndarray:
    """Return the uint8 array of an IDX file, gzipped if its name ends so.

    Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".

    Raises:
        UserError: it is not there, or no whole IDX file of so many dimensions.
    """
    if not path.is_file():
        raise UserError(f"{path} is not there: name an IDX file")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4 + 4 * dimensions)
            if len(head) < 4 + 4 * dimensions or head[:4] != bytes([0, 0, UINT8, dimensions]):
                raise ValueError(f"its head is not that of {dimensions}-dimensional bytes")
            shape = np.frombuffer(head, ">u4", dimensions, 4).tolist()
            if math.prod(shape) > MAX_BYTES:
                raise ValueError(f"{shape} are too large")
            content = read_bytes(file.read, math.prod(shape))
            if file.read(1):
                raise ValueError(f"{shape} are promised, more bytes are there")
    except UNREADABLE as error:
        raise UserError(f"corrupt IDX file: {path} ({printable(str(error))[:300]})") from error
    return np.frombuffer(content, np.uint8).reshape(shape)
