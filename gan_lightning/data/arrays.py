"""Arrays in a file: NPZ, such as sample.py writes, and MNIST's IDX format."""

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gan_lightning.data.from_disk import Arrays, FileDataModule
from gan_lightning.data.idx import read_idx
from gan_lightning.data.npz import as_tensors, read_npz
from gan_lightning.errors import UserError
from gan_lightning.ranges import Place, validated


@validated
class ArrayDataModule(FileDataModule):
    """Images that are in one file already, with or without labels.

    NPZ: `images` uint8 [N, H, W], [N, C, H, W] or [N, H, W, C], perhaps `labels` [N], and perhaps
    `test_images` and `test_labels`; nothing in it is unpickled. IDX, perhaps gzipped: images
    [N, H, W], labels in a file of their own. Images that are not square are cut to their centre.

    Args:
        root: the file.
        labels: the file with the labels of an IDX file.
        name: as of `FileDataModule`.
        kwargs: as of `FileDataModule`.
    """

    def __init__(
        self, root: Place, labels: str | None = None, name: str = "array", **kwargs: Any
    ) -> None:
        super().__init__(name=name, source=root, **kwargs)
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
            labels = None if self.labels is None else read_idx(self.labels, 1)
            return self._squares(read_idx(self.file, 3), labels), None
        if self.labels:
            raise UserError("data.labels is for IDX files: put an array `labels` into the .npz")
        arrays = read_npz(self.file)
        if "images" not in arrays:
            raise UserError(f"{self.file} has no array `images`")
        train = self._squares(arrays["images"], arrays.get("labels"))
        if "test_images" not in arrays:
            return train, None
        return train, self._squares(arrays["test_images"], arrays.get("test_labels"))

    def _squares(self, images: np.ndarray, labels: np.ndarray | None) -> Arrays:
        found, known = as_tensors(str(self.file), images, labels)
        return central_square(found), known


def central_square(images: Tensor) -> Tensor:
    """Return the middle of [N, C, H, W], as high as it is wide."""
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[:, :, top : top + side, left : left + side].contiguous()
