"""Arrays in a file: NPZ, such as sample.py writes, and MNIST's IDX format."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan_lightning.data.from_disk import Arrays, FileDataModule
from gan_lightning.data.idx import read_idx_array
from gan_lightning.data.npz import UNREADABLE, read_arrays
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

NAMES = ("images", "labels", "test_images", "test_labels")  # of the arrays in an NPZ file


class ArrayDataModule(FileDataModule):
    """Images that are in one file already, with or without labels.

    NPZ: `images` uint8 [N, H, W], [N, C, H, W] or [N, H, W, C], perhaps `labels` [N], and perhaps
    `test_images` and `test_labels`; nothing in it is unpickled. IDX, perhaps gzipped: images
    [N, H, W], labels in a file of their own. Images that are not square are cut to their centre.

    Args:
        root: the file.
        labels: the file with the labels of an IDX file.
        kwargs: as of `FileDataModule`.
    """

    def __init__(self, root: str, labels: str | None = None, **kwargs: Any) -> None:
        super().__init__(source=root, **kwargs)
        self.file = Path(root).expanduser()
        self.root = self.file.parent  # where statistics of the images may be kept
        self.labels = Path(labels).expanduser() if labels else None

    def read(self) -> tuple[Arrays, Arrays | None]:
        """Read the file.

        Raises:
            UserError: it is not there, damaged, or holds something else.
        """
        if not self.file.is_file():
            raise UserError(f"data.root={self.file} is no file: name an .npz or an IDX file")
        if self.file.suffix != ".npz":
            labels = None if self.labels is None else read_idx_array(self.labels, 1)
            return checked(self.file, read_idx_array(self.file, 3), labels), None
        if self.labels:
            raise UserError("data.labels is for IDX files: put an array `labels` into the .npz")
        arrays = read_npz(self.file)
        if "images" not in arrays:
            raise UserError(f"{self.file} has no array `images`")
        train = checked(self.file, arrays["images"], arrays.get("labels"))
        if "test_images" not in arrays:
            return train, None
        return train, checked(self.file, arrays["test_images"], arrays.get("test_labels"))


def read_npz(path: Path, names: Sequence[str] = NAMES) -> dict[str, np.ndarray]:
    """Return the arrays of an NPZ file that a data set has.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return read_arrays(path, names)
    except UNREADABLE as error:
        reason = printable(str(error))[:300]
        raise UserError(f"{path} is no NPZ data set: {reason}") from error


def checked(path: Path, images: np.ndarray, labels: np.ndarray | None) -> Arrays:
    """Return both as tensors: uint8[N, C, S, S], int64[N].

    Raises:
        UserError: of another type or shape, none at all, or not as many labels as images.
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise UserError(
            f"{path}: `images` must be uint8 [N, H, W], [N, C, H, W] or [N, H, W, C]; "
            f"it is {images.dtype} {list(images.shape)}"
        )
    if not images.size:
        raise UserError(f"{path} has no images: {list(images.shape)}")
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[3] in (1, 3) and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    squares = torch.from_numpy(np.ascontiguousarray(central_square(images)).copy())
    if labels is None:
        return squares, None
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise UserError(
            f"{path}: `labels` must be whole numbers [N]; it is {labels.dtype} {list(labels.shape)}"
        )
    if len(labels) != len(images):
        raise UserError(f"{path}: {len(images)} images but {len(labels)} labels")
    return squares, torch.from_numpy(labels.astype(np.int64))


def central_square(images: np.ndarray) -> np.ndarray:
    """Return the middle of [N, C, H, W], as high as it is wide."""
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[:, :, top : top + side, left : left + side]
