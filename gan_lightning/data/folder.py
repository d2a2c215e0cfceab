"""Folders of image files."""

from pathlib import Path
from typing import Any

import torch

from gan_lightning.data.from_disk import Arrays, FileDataModule
from gan_lightning.data.image_files import (
    MODES,
    SIGNALS,
    class_folders,
    is_image,
    read_image,
    training_folder,
)
from gan_lightning.errors import UserError
from gan_lightning.ranges import Place, validated


@validated
class ImageFolderDataModule(FileDataModule):
    """Image files of any size, in a folder or in one folder a class.

    Each is cut to its central square and resized to `resolution`, once. The labels are the
    folders' places in the order of their names. With `train` and `test` in the folder, these are
    the splits; else some images are held out.

    Args:
        root: the folder.
        name: as of `FileDataModule`.
        kwargs: as of `FileDataModule`; channels 1 (grey) or 3 (colour).
    """

    def __init__(self, root: Place, name: str = "image_folder", **kwargs: Any) -> None:
        super().__init__(name=name, source=root, **kwargs)
        self.root = Path(root).expanduser()

    def read(self) -> tuple[Arrays, Arrays | None]:
        """Read all files.

        Raises:
            UserError: there is no image, one cannot be read, or the folders do not fit.
        """
        if not self.root.is_dir():
            raise UserError(f"data.root={self.root} is no folder: name one with images in it")
        if self.channels not in MODES:
            raise UserError(f"data.channels={self.channels} must be 1 (grey) or 3 (colour)")
        training = training_folder(self.root)
        names = [path.name for path in class_folders(training)]
        train = self._read_split(training, names)
        tested = self.root / "test"
        has_test = training != self.root and tested.is_dir()
        return train, self._read_split(tested, names) if has_test else None

    def _read_split(self, folder: Path, names: list[str]) -> Arrays:
        """Return the images of a folder, labelled if it has class folders."""
        loose = sorted(file for file in folder.iterdir() if is_image(file))
        found = [path.name for path in class_folders(folder)]
        if loose and found:
            raise UserError(
                f"{loose[0]} stands beside folders of images such as {found[0]}/: put all images "
                "into folders, or none"
            )
        strange = sorted(set(found) - set(names))
        if strange:
            raise UserError(f"{folder / strange[0]}: no such folder is among the training images")
        files = [(file, 0) for file in loose]
        for name in found:
            label = names.index(name)
            inside = sorted(file for file in (folder / name).iterdir() if is_image(file))
            files += [(file, label) for file in inside]
        if not files:
            raise UserError(f"no images are in {folder} (endings {', '.join(sorted(SIGNALS))})")
        mode = MODES[self.channels]
        images = torch.stack([read_image(file, mode, self.resolution) for file, _ in files])
        return images, torch.tensor([label for _, label in files]) if found else None
