"""Image files: which there are, and what is in one."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from gan_lightning.errors import UserError

SIGNALS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
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
    return path.suffix.lower() in SIGNALS and path.name[0] != "." and path.is_file()


def class_folders(folder: Path) -> list[Path]:
    """Return the folders that have images, by name: label k is the k-th."""
    inner = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    return sorted(path for path in inner if any(is_image(file) for file in path.iterdir()))


def training_folder(root: Path) -> Path:
    """Return `root/train` if there is one, else `root`."""
    return root / "train" if (root / "train").is_dir() else root


def read_image(file: Path, mode: str, side: int) -> Tensor:
    """Return uint8[C, side, side]: the central square of an image, resized.

    Args:
        file: of the image.
        mode: `L` (grey) or `RGB`.
        side: in pixels.

    Raises:
        UserError: names the file.
    """
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # 16 bits
                grey = np.asarray(image).astype(np.float64) / 257
                image = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
            image = image.convert(mode)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{file} cannot be read as an image ({reason}): remove it") from error
    square = (min(image.size),) * 2
    image = ImageOps.fit(image, square)  # cut first: resizing a part lets its surroundings in
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).view(side, side, -1).permute(2, 0, 1).contiguous()
