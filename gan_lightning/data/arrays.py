"""Arrays in a file: NPZ, such as sample.py writes, NPY, and MNIST's IDX format."""

from pathlib import Path
from typing import Any

from gan_lightning.data.array_files import Arrays, read_split
from gan_lightning.data.from_disk import FileDataModule
from gan_lightning.errors import UserError


class ArrayDataModule(FileDataModule):
    """Images that are in one file already, with or without labels.

    NPZ: arrays `images`, perhaps `labels` [N], and perhaps `test_images` and `test_labels`, or
    `x_train y_train x_test y_test`, `X y`, `data labels`, `arr_0 arr_1`; NPY and IDX (perhaps
    gzipped): images alone, labels in a file of their own. Images are [N, H, W], [N, C, H, W] or
    [N, H, W, C], uint8, or floats in [0, 1] or [-1, 1]; those that are not square are cut to
    their centre. Nothing is unpickled.

    Args:
        root: the file.
        labels: the file with the labels of an NPY or IDX file.
        name: as of `FileDataModule`.
        kwargs: as of `FileDataModule`.
    """

    def __init__(
        self, root: str, labels: str | None = None, name: str = "array", **kwargs: Any
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
            raise UserError(
                f"data.root={self.file} is no file: name an .npz, .npy or IDX file; "
                "for a folder of images: data=image_folder"
            )
        train, test = (read_split(self.file, self.labels, train) for train in (True, False))
        assert train is not None
        return train, test
