"""Data sets that are read from a file or a folder once: arrays, and image files."""

from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from gan_lightning.data.array_files import Arrays, read_labels, read_split
from gan_lightning.data.base import MOST_CLASSES, check_labels
from gan_lightning.data.held_out import held_out_rows
from gan_lightning.data.image_files import (
    BACKGROUNDS,
    MODES,
    class_folders,
    labelled_splits,
    read_files,
    training_folder,
)
from gan_lightning.data.images import ImageDataModule
from gan_lightning.errors import UserError
from gan_lightning.ranges import Place, number, one_of, validated


@validated
class FileDataModule(ImageDataModule):
    """Reads its files once; without a test split, random images are held out as one.

    The held-out images are always the same ones, whatever the seed, so that the scores of two runs
    use the same reals.

    Args:
        test_fraction: share of the images to hold out, at least one image.
        kwargs: as of `ImageDataModule`.
    """

    def __init__(
        self, test_fraction: Annotated[float, number(0, 0.9, above=True)] = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.test_fraction = test_fraction
        self._splits: tuple[Arrays, Arrays] | None = None

    def read(self) -> tuple[Arrays, Arrays | None]:
        """Return (images uint8[N, C, H, W], labels int64[N] or None) to train on, and to test on.

        The latter is None if there is no test split.

        Raises:
            UserError: the files are not there, damaged, or hold something else.
        """
        raise NotImplementedError

    def prepare_data(self) -> None:
        """Find out now that something is wrong with the files."""
        self.load(train=True)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split; UserError: too few images, or labels that are missing or do not fit."""
        if self._splits is None:
            whole, test = self.read()
            self._splits = (whole, test) if test else self._hold_out(whole)
            for part, found in self._splits:
                check_labels(self.source, len(part), found, self.num_classes)
        images, labels = self._splits[0 if train else 1]
        if labels is None:
            labels = torch.zeros(len(images), dtype=torch.int64)
        return images, labels

    def _hold_out(self, whole: Arrays) -> tuple[Arrays, Arrays]:
        images, labels = whole
        rows = held_out_rows(len(images), self.test_fraction)
        train, test = ((images[r], None if labels is None else labels[r]) for r in rows)
        return train, test


@validated
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
        if not self.file.is_file():
            raise UserError(
                f"data.root={self.file} is no file: name an .npz, .npy or IDX file; "
                "for a folder of images: data=image_folder"
            )
        train, test = (read_split(self.file, self.labels, train) for train in (True, False))
        assert train is not None
        return train, test


@validated
class ImageFolderDataModule(FileDataModule):
    """Image files of any size, in a folder or in one folder a class, at any depth.

    Each is cut to its central square and resized to `resolution`, once. Label k is the k-th folder
    by name. Folders `train` and `test` are the splits; without them some images are held out.

    Args:
        root: the folder.
        background: what transparent images are put on: black or white.
        kwargs: as of `FileDataModule`; channels 1 (grey) or 3 (colour).
    """

    def __init__(
        self,
        root: Place,
        name: str = "image_folder",
        background: Annotated[str, one_of(*BACKGROUNDS)] = "black",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, source=root, **kwargs)
        self.root = Path(root).expanduser()
        self.background = background

    def class_names(self) -> list[str]:
        folder = training_folder(self.root)
        return [path.name for path in class_folders(folder)] if folder.is_dir() else []

    def read(self) -> tuple[Arrays, Arrays | None]:
        if not self.root.is_dir():
            raise UserError(f"data.root={self.root} is no folder; for a file: data=array")
        if self.channels not in MODES:
            raise UserError(f"data.channels={self.channels} must be 1 (grey) or 3 (colour)")
        found, transparent = [], 0
        for files, labels in labelled_splits(self.root):
            images, clear = read_files(files, self.channels, self.resolution, self.background)
            found.append((images, None if labels is None else torch.tensor(labels)))
            transparent += clear
        if transparent:
            self.remark = (
                f"{transparent:,} images in {self.root} have transparent parts, which become "
                f"{self.background}: data.background={'|'.join(BACKGROUNDS)}"
            )
        return found[0], found[1] if len(found) > 1 else None


def count_labels(root: str, labels: str | None = None) -> int:
    """Return one more than the highest label, or the number of class folders; 0 without labels.

    0 for what cannot be read, too: the data module reports what is wrong. Absurd labels are cut
    to one more than `MOST_CLASSES`, which `check_labels` refuses.
    """
    path = Path(root).expanduser()
    try:
        if path.is_dir():
            count = len(class_folders(training_folder(path)))
        else:
            found = read_labels(path, Path(labels).expanduser() if labels else None)
            count = 0 if found is None or not len(found) else max(0, int(found.max()) + 1)
    except (OSError, UserError):
        return 0
    return min(count, MOST_CLASSES + 1)
