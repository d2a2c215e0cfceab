"""Samples as a pair of IDX files, the format of MNIST: images and labels.

torchvision.datasets.MNIST asks for four, `train-` and `t10k-`, and for unpacked ones.

Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".
"""

import gzip
import re
import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.pixels import to_uint8
from gan_lightning.system.files import atomic_write

Chunks = Iterator[tuple[Tensor, Tensor | None]]
NAME = re.compile(r"(.*)images(-idx3)?-ubyte(\.gz)?")
UINT8 = 8  # the code of the type
MOST_LABELS = 256  # that a byte tells apart


def is_idx(path: Path) -> bool:
    """Whether a path is that of an IDX file."""
    return path.name.endswith(("-ubyte", "-ubyte.gz"))


def labels_beside(path: Path) -> Path:
    """Return the path of the labels of an IDX file of images."""
    return path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))


def check_idx(path: Path, shape: tuple[int, ...], labels: int) -> None:
    """Raise UserError if samples [C, H, W] of so many labels do not fit into such a pair."""
    if not NAME.fullmatch(path.name):
        raise UserError(f"output={path}: name it as MNIST's files are: train-images-idx3-ubyte")
    if shape[0] != 1 or shape[1:] == (1, 1):
        raise UserError(f"output={path}: IDX files as MNIST's hold grey images: use .npz")
    if labels > MOST_LABELS:
        raise UserError(f"output={path}: a byte cannot tell {labels} labels apart: use .npz")


def write_idx(path: Path, chunks: Chunks, count: int) -> None:
    """Write uint8[count, H, W], and labels uint8[count] beside it if there are any; `.gz` packs.

    Raises:
        ValueError: `chunks` holds another number of samples.
    """
    first, first_labels = next(chunks)
    every = chain([(first, first_labels)], chunks)
    beside = labels_beside(path)
    if first_labels is None:
        atomic_write(path, lambda images: _write(images, None, every, (count, *first.shape[2:])))
        beside.unlink(missing_ok=True)  # of images that were there before
        return

    def write(labels: Path) -> None:
        atomic_write(path, lambda images: _write(images, labels, every, (count, *first.shape[2:])))

    atomic_write(beside, write)


def _write(images: Path, labels: Path | None, chunks: Chunks, shape: tuple[int, ...]) -> None:
    packed = "-ubyte.gz" in images.name  # the name of a temporary file has more behind it
    opened = gzip.open if packed else open
    written, kept = 0, bytearray()  # a byte a label: a hundred times less than the images
    with opened(images, "wb") as file:
        file.write(_header(shape))
        for part, y in chunks:
            file.write(to_uint8(part).contiguous().numpy().tobytes())
            kept += b"" if y is None else bytes(y.tolist())
            written += len(part)
    if written != shape[0]:
        raise ValueError(f"{written} samples came, not {shape[0]}")
    if labels:
        with opened(labels, "wb") as file:
            file.write(_header(shape[:1]) + kept)


def _header(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, UINT8, len(shape), *shape)
