"""Writing samples: a grid, a folder of PNGs or an NPZ file."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from gan_lightning.errors import UserError
from gan_lightning.sampling import to_uint8

Chunks = Iterator[tuple[Tensor, Tensor | None]]


def free_path(path: Path) -> Path:
    """Return the path, numbered if something is there already."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse an ending that means nothing, and a place that is taken.

    Raises:
        UserError: as said.
    """
    if path.suffix not in ("", ".png", ".npz"):
        raise UserError(f"output={path}: end it in .png (a grid), .npz (arrays) or / (a folder)")
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not overwrite:
        raise UserError(f"output={path} exists: choose another, or set overwrite=true")


def write_samples(path: Path, chunks: Chunks) -> None:
    """Write all samples; the ending of the path says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        _write_grid(path, chunks)
    elif path.suffix == ".npz":
        _write_npz(path, chunks)
    else:
        _write_folder(path, chunks)


def _write_grid(path: Path, chunks: Chunks) -> None:
    images = torch.cat([to_uint8(images) for images, _ in chunks])
    columns = math.ceil(math.sqrt(len(images)))
    _save_png(make_grid(images, nrow=columns), path)


def _write_npz(path: Path, chunks: Chunks) -> None:
    images, labels = zip(*((to_uint8(x), y) for x, y in chunks), strict=True)
    arrays = {"images": torch.cat(images).numpy()}
    if labels[0] is not None:
        arrays["labels"] = torch.cat(labels).numpy()
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def _write_folder(path: Path, chunks: Chunks) -> None:
    path.mkdir(exist_ok=True)
    for earlier in path.glob("[0-9]" * 6 + "*.png"):  # a smaller set must not keep old images
        earlier.unlink()
    index = 0
    for images, labels in chunks:
        for position, image in enumerate(to_uint8(images)):
            label = "" if labels is None else f"-{labels[position]}"
            _save_png(image, path / f"{index:06d}{label}.png")
            index += 1


def _save_png(image: Tensor, path: Path) -> None:
    """Save uint8[C, H, W], C 1 or 3."""
    array = image.permute(1, 2, 0).numpy()
    Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array).save(path)
