"""Folders of image files."""

from pathlib import Path
from typing import Any

import torch

from gan_lightning.data.array_files import Arrays
from gan_lightning.data.from_disk import FileDataModule
from gan_lightning.data.image_files import (
    BACKGROUNDS,
    MODES,
    class_folders,
    labelled_files,
    read_files,
    training_folder,
)
from gan_lightning.errors import UserError


class ImageFolderDataModule(FileDataModule):
    """Image files of any size, in a folder or in one folder a class, at any depth.

    Each is cut to its central square and resized to `resolution`, once. The labels are the
    folders' places in the order of their names. With `train` and `test` in the folder, these are
    the splits; else some images are held out.

    Args:
        root: the folder.
        name: as of `FileDataModule`.
        background: what transparent images are put on: black or white.
        kwargs: as of `FileDataModule`; channels 1 (grey) or 3 (colour).

    Raises:
        ValueError: another background.
    """

    def __init__(
        self, root: str, name: str = "image_folder", background: str = "black", **kwargs: Any
    ) -> None:
        super().__init__(name=name, source=root, **kwargs)
        if background not in BACKGROUNDS:
            raise ValueError(f"background={background} must be one of {', '.join(BACKGROUNDS)}")
        self.root = Path(root).expanduser()
        self.background = background

    def class_names(self) -> list[str]:
        folder = training_folder(self.root)
        return [path.name for path in class_folders(folder)] if folder.is_dir() else []

    def read(self) -> tuple[Arrays, Arrays | None]:
        """Read all files.

        Raises:
            UserError: there is no image, one cannot be read, or the folders do not fit.
        """
        if not self.root.is_dir():
            raise UserError(f"data.root={self.root} is no folder; for a file: data=array")
        if self.channels not in MODES:
            raise UserError(f"data.channels={self.channels} must be 1 (grey) or 3 (colour)")
        training, tested = training_folder(self.root), self.root / "test"
        names = self.class_names()
        has_test = training != self.root and tested.is_dir()
        found, transparent = [], 0
        for folder in (training, tested) if has_test else (training,):
            files, labels = labelled_files(folder, names)
            images, clear = read_files(files, self.channels, self.resolution, self.background)
            found.append((images, None if labels is None else torch.tensor(labels)))
            transparent += clear
        if transparent:
            self.remark = (
                f"{transparent:,} images in {self.root} have transparent parts, which become "
                f"{self.background}: data.background={'|'.join(BACKGROUNDS)}"
            )
        return found[0], found[1] if has_test else None
