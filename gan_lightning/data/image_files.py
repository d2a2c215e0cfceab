"""Image files: which there are, which labels they have, and what is in them."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from gan_lightning.data.npz import UNREADABLE
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # others may start programs
MODES = {1: "L", 3: "RGB"}
BACKGROUNDS = ("black", "white")
DAMAGED = (*UNREADABLE, Image.DecompressionBombError)
THREADS = min(8, os.cpu_count() or 1)
CHUNK = 100  # files that a thread reads at a time


def find_images(folder: str | Path) -> Iterator[str]:
    """Yield the image files of a folder, then those of the folders in it, all by name.

    As torchvision's ImageFolder does; hidden files and folders are left out.
    """
    with os.scandir(folder) as found:
        entries = sorted((e for e in found if e.name[0] != "."), key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.lower().endswith(ENDINGS) and entry.is_file():
            yield entry.path
    for entry in entries:
        if entry.is_dir():
            yield from find_images(entry.path)


def class_folders(folder: Path) -> list[Path]:
    """Return the folders that have images, or folders of images, by name: label k is the k-th."""
    with os.scandir(folder) as found:
        inner = sorted(Path(e.path) for e in found if e.name[0] != "." and e.is_dir())
    return [path for path in inner if any(find_images(path))]


def training_folder(root: Path) -> Path:
    """Return `root/train` if there is one, else `root`."""
    return root / "train" if (root / "train").is_dir() else root


def labelled_files(folder: Path, names: Sequence[str] | None) -> tuple[list[str], list[int] | None]:
    """Return the image files of a folder, and their labels if it has class folders.

    Label k is the k-th of the classes' `names`; None: labels do not matter.

    Raises:
        UserError: there is no image, images stand beside folders, or a class is unknown.
    """
    classes, files = class_folders(folder), list(find_images(folder))
    if not files:
        raise UserError(f"no images are in {folder} (endings {', '.join(ENDINGS)})")
    if not classes or names is None:
        return files, None
    if Path(files[0]).parent == folder:
        raise UserError(
            f"{files[0]} stands beside folders of images such as {classes[0].name}/: put all "
            "images into folders, or none"
        )
    files, labels = [], []
    for path in classes:
        if path.name not in names:
            raise UserError(f"{path} is none of the classes: {', '.join(names)}"[:300])
        inside = list(find_images(path))
        files += inside
        labels += [names.index(path.name)] * len(inside)
    return files, labels


def common_side(files: Sequence[str]) -> int | None:
    """Return the side of images that are all square and of one size; None of others."""
    sizes = set()
    for file in files:
        try:
            with Image.open(file, formats=FORMATS) as image:
                sizes.add(image.size)
        except DAMAGED:  # whoever reads it will say so
            return None
        if len(sizes) > 1:
            return None
    width, height = sizes.pop() if sizes else (0, 1)
    return width if width == height else None


def labelled_splits(root: Path) -> list[tuple[list[str], list[int] | None]]:
    """Return (files, labels) of `root/train` and `root/test`, or of `root` alone without these.

    Raises:
        UserError: as of `labelled_files`.
    """
    training, tested = training_folder(root), root / "test"
    names = [path.name for path in class_folders(training)]
    has_test = training != root and tested.is_dir()
    return [labelled_files(f, names) for f in ((training, tested) if has_test else (training,))]


def reading_bar(total: int) -> tqdm:
    """Return what shows on a terminal how many images of all are read."""
    hidden = True if int(os.environ.get("LOCAL_RANK", 0)) else None  # None: unless a terminal
    return tqdm(desc="reading", total=total, unit=" images", leave=False, delay=1, disable=hidden)


def read_files(
    files: Sequence[str], channels: int, side: int, background: str, bar: tqdm | None = None
) -> tuple[Tensor, int]:
    """Return (uint8[N, channels, side, side], how many images had transparent parts).

    Several threads read; on a terminal a bar shows how far they are: one of these files, if none
    is given.

    Raises:
        UserError: names a file that cannot be read.
    """
    images = np.empty((len(files), channels, side, side), np.uint8)

    def read(first: int) -> tuple[int, int]:
        part, transparent = files[first : first + CHUNK], 0
        for row, file in enumerate(part, first):
            image, clear = _read_image(file, MODES[channels], side, background)
            images[row] = image.reshape(side, side, channels).transpose(2, 0, 1)
            transparent += clear
        return len(part), transparent

    total = 0
    with (
        ThreadPoolExecutor(THREADS) as pool,
        nullcontext(bar) if bar is not None else reading_bar(len(files)) as shown,
    ):
        for count, transparent in pool.map(read, range(0, len(files), CHUNK)):
            shown.update(count)
            total += transparent
    return torch.from_numpy(images), total


def _read_image(file: str, mode: str, side: int, background: str) -> tuple[np.ndarray, bool]:
    """Return (the central square of an image, resized; whether it had transparent parts)."""
    clear = False
    try:
        with Image.open(file, formats=FORMATS) as opened:
            opened.load()
            if opened.info:
                ImageOps.exif_transpose(opened, in_place=True)
            image: Image.Image = opened
            if image.mode.startswith("I"):  # 16 bits
                grey = np.asarray(image).astype(np.float64) / 257
                image = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
            if image.has_transparency_data:
                image = image.convert("RGBA")
                clear = bool(np.asarray(image)[..., 3].min() < 255)
                image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
            image = image.convert(mode)
    except DAMAGED as error:
        reason = printable(" ".join(str(error).split()))
        raise UserError(f"{file} cannot be read as an image ({reason}): remove it") from error
    if image.width != image.height:  # cut first: resizing a part lets its surroundings in
        image = ImageOps.fit(image, (min(image.size),) * 2)
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image), clear
