"""Images that came from somewhere else: an NPZ file or a folder of PNGs."""

import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan_lightning.data.npz import MAX_IMAGE, as_tensors, read_npz
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable


def read_images(path: Path, limit: int) -> tuple[Tensor, Tensor | None]:
    """Return (uint8[N, C, H, W], labels int64[N] or None), at most `limit` of them.

    NPZ: arrays `images`, uint8 [N, C, H, W], [N, H, W, C] or [N, H, W], and perhaps `labels`.
    Folder: PNGs in the order of their names; `000000-7.png` has label 7, as sample.py writes it.

    Raises:
        UserError: nothing of that kind is there.
    """
    if path.is_dir():
        images, labels = _read_folder(path, limit)
    elif path.suffix == ".npz" and path.is_file():
        images, labels = _read_npz(path, limit)
    else:
        raise UserError(f"images={path}: name an .npz file or a folder of PNGs that exists")
    return images, labels


def _read_npz(path: Path, limit: int) -> tuple[Tensor, Tensor | None]:
    arrays = read_npz(path, ("images", "labels"), limit, MAX_IMAGE)
    if "images" not in arrays:
        raise UserError(f"images={path} has no array `images`")
    return as_tensors(f"images={path}", arrays["images"], arrays.get("labels"))


def _read_folder(path: Path, limit: int) -> tuple[Tensor, Tensor | None]:
    files = sorted(file for file in path.glob("*.png") if file.is_file())[:limit]
    if not files:
        raise UserError(f"images={path}: no PNG is in that folder")
    try:
        arrays = [_read_png(file) for file in files]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"images={path}: {printable(str(error))}") from error
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise UserError(f"images={path}: the PNGs have different sizes: {sorted(shapes)[:3]}")
    marks = [re.fullmatch(r"[0-9]{6,}-([0-9]{1,9})", file.stem) for file in files]
    known = [int(mark[1]) for mark in marks if mark]
    labels = torch.tensor(known) if len(known) == len(files) else None
    return torch.from_numpy(np.stack(arrays)), labels


def _read_png(file: Path) -> np.ndarray:
    """Return uint8[C, H, W], C 1 for grey and 3 for everything else."""
    with Image.open(file, formats=["PNG"]) as image:
        if image.width * image.height > MAX_IMAGE:
            raise ValueError(
                f"{file} has {image.width} x {image.height} pixels: too large to score"
            )
        grey = image.mode in ("L", "1", "I;16", "I")
        array = np.asarray(image.convert("L" if grey else "RGB"))
    return array[None] if grey else array.transpose(2, 0, 1)
