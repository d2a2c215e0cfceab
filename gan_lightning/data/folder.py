"""Folders of image files."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from gan_lightning.data.from_disk import Arrays, FileDataModule
from gan_lightning.errors import UserError

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
MODES = {1: "L", 3: "RGB"}
UNREADABLE = (
    OSError,
    SyntaxError,  # of a damaged PNG
    ValueError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
)


def is_image(path: Path) -> bool:
    """Whether the ending is an image's; hidden files are none."""
    return path.suffix.lower() in ENDINGS and path.name[0] != "." and path.is_file()


def class_folders(folder: Path) -> list[Path]:
    """Return the folders that have images, by name: label k is the k-th."""
    inner = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    return sorted(path for path in inner if any(is_image(file) for file in path.iterdir()))


def training_folder(root: Path) -> Path:
    """Return `root/train` if there is one, else `root`."""
    return root / "train" if (root / "train").is_dir() else root


class ImageFolderDataModule(FileDataModule):
    """Image files of any size, in a folder or in one folder a class.

    Each is cut to its central square and resized to `resolution`, once. The labels are the
    folders' places in the order of their names. With `train` and `test` in the folder, these are
    the splits; else some images are held out.

    Args:
        root: the folder.
        kwargs: as of `FileDataModule`; channels 1 (grey) or 3 (colour).
    """

    def __init__(self, root: str, **kwargs: Any) -> None:
        super().__init__(source=root, **kwargs)
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
            raise UserError(f"no images are in {folder} (endings {', '.join(sorted(ENDINGS))})")
        images = torch.stack([self._read_file(file) for file, _ in files])
        return images, torch.tensor([label for _, label in files]) if found else None

    def _read_file(self, file: Path) -> Tensor:
        """Return uint8[C, resolution, resolution].

        Raises:
            UserError: names the file.
        """
        side = self.resolution
        try:
            with Image.open(file) as opened:
                image = ImageOps.exif_transpose(opened)
                if image.mode.startswith("I"):  # 16 bits
                    grey = np.asarray(image).astype(np.float64) / 257
                    image = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
                image = image.convert(MODES[self.channels])
        except UNREADABLE as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{file} cannot be read as an image ({reason}): remove it") from error
        square = (min(image.size),) * 2
        image = ImageOps.fit(image, square)  # cut first: resizing a part lets its surroundings in
        if image.size != (side, side):
            image = image.resize((side, side), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(image)).view(side, side, -1).permute(2, 0, 1).contiguous()
