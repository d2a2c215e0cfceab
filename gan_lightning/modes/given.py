"""Images that the user names: a file, a folder, or arrays."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from gan_lightning.data.array_files import read_split
from gan_lightning.data.image_files import (
    DAMAGED,
    ENDINGS,
    FORMATS,
    MODES,
    find_images,
    read_files,
)
from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import printable

ARRAYS = (".npz", ".npy")
NAMES = {1: "grey", 3: "RGB"}
MOST = 10_000  # images
FIT = "mode.fit=true brings it there"


@dataclass(frozen=True)
class Given:
    """Images uint8[N, C, H, W], what each is called, and labels int64[N] if there are any."""

    images: Tensor
    names: list[str]
    labels: Tensor | None = None


def read_given(path: Path | None, shape: tuple[int, ...], fit: bool, mode: str) -> Given:
    """Read an image, a folder of images or an NPZ file, of the shape [C, H, W] that is asked for.

    Args:
        fit: bring images of another size, or colour, to that shape.
        mode: for the errors.

    Raises:
        UserError: there is none, it is no image, or has another shape.
    """
    if path is None:
        raise UserError(f"mode={mode} needs image=FILE, a folder of images or an NPZ file")
    if not path.exists():
        raise UserError(f"image={path}: no such file or folder")
    if not path.is_file() and not path.is_dir():
        raise UserError(f"image={path} is neither a file nor a folder")
    if path.is_file() and (path.suffix in ARRAYS or path.name.endswith(("-ubyte", "-ubyte.gz"))):
        return _arrays(path, shape)
    files = list(find_images(path)) if path.is_dir() else [str(path)]
    if len(files) > MOST:
        raise UserError(f"image={path}: {len(files):,} images are more than {MOST:,}")
    if not files:
        raise UserError(f"image={path}: no images are in it (endings {', '.join(ENDINGS)})")
    channels, side = shape[0], shape[1]
    if channels not in MODES:
        raise UserError(f"image={path}: images of {channels} channels are read from NPZ alone")
    if not fit:
        for file in files:
            _check(file, channels, side)
    images, _ = read_files(files, channels, side, "black")
    return Given(images, [Path(file).name for file in files])


def _check(file: str, channels: int, side: int) -> None:
    """Raise UserError if a file is no image, or not one of that size and kind."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            size, colour = image.size, len(image.getbands()) >= 3 or image.mode == "P"
    except DAMAGED as error:
        reason = printable(" ".join(str(error).split()))
        raise UserError(f"image={file} cannot be read as an image ({reason})") from error
    kind = NAMES[3] if colour else NAMES[1]
    if size != (side, side) or kind != NAMES[channels]:
        wanted = f"{side}x{side} {NAMES[channels]}"
        raise UserError(
            f"image={file} is {size[0]}x{size[1]} {kind}, the generator's are {wanted}: {FIT}"
        )


def _arrays(path: Path, shape: tuple[int, ...]) -> Given:
    found = read_split(path, limit=MOST + 1)
    if found is None:
        raise UserError(f"image={path} holds no images")
    images, labels = found
    if len(images) > MOST:
        raise UserError(f"image={path}: there are more than {MOST:,} images")
    if tuple(images.shape[1:]) != shape:
        was, wanted = ("x".join(map(str, s)) for s in (images.shape[1:], shape))
        raise UserError(f"image={path}: its images are {was}, the generator's are {wanted}")
    return Given(images, [f"{path.name} {i}" for i in range(len(images))], labels)
