"""An image folder written as shards, one shard in memory at a time."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from gan_lightning.data.held_out import held_out_rows
from gan_lightning.data.image_files import (
    BACKGROUNDS,
    DAMAGED,
    FORMATS,
    MODES,
    class_folders,
    common_side,
    labelled_splits,
    read_files,
    reading_bar,
    training_folder,
)
from gan_lightning.data.shard_files import LABELS, SPLITS, ShardIndex, imported
from gan_lightning.errors import RunError, UserError
from gan_lightning.system.portable import lock, sync_folder

LOOKED_AT = 1000  # images, for colours
SHARD = 1 << 25  # bytes; a writer takes some four times as much memory
PART = 1000  # images that are read at a time
Split = tuple[list[str], np.ndarray]  # files, labels int64[N]


@dataclass(frozen=True)
class Asked:
    """The arguments of one call; its `--help` explains them."""

    input: Path
    output: Path
    image_size: int | None = None
    channels: int | None = None
    shard_size: int | None = None
    test_fraction: float = 0.1
    background: str = "black"


def write_shards(asked: Asked) -> str:
    """Write the images in random order, and return what was written in words.

    They are written beside their place and moved there when they are whole and on the disk.

    Raises:
        UserError: there are no images, one cannot be read, or the output is taken.
        RunError: the disk is full, or fails.
    """
    check(asked)
    imported()
    splits = found_splits(asked)
    index, transparent = described(asked, splits), 0

    def images(files: list[str], bar: tqdm) -> Iterator[np.ndarray]:
        nonlocal transparent
        for first in range(0, len(files), PART):
            part, kind = files[first : first + PART], (index.channels, index.image_size)
            found, clear = read_files(part, *kind, asked.background, bar)
            transparent += clear
            yield found.numpy()

    try:
        with whole_or_nothing(asked.output) as folder, reading_bar(index.train + index.test) as bar:
            for name, (files, labels) in zip(SPLITS, splits, strict=True):
                write_split(folder / name, images(files, bar), labels, index.shard_size)
            index.write(folder)
    except OSError as error:
        reason = f"output={asked.output} could not be written ({error.strerror or error})"
        raise RunError(f"{reason}: make room, or choose another place") from error
    shape = "x".join(map(str, (index.channels, index.image_size, index.image_size)))
    said = f"{index.train:,} + {index.test:,} images {shape}, {len(index.classes)} classes"
    if transparent:
        said += f"; {transparent:,} have transparent parts, which became {asked.background}"
    return f"{said} -> {asked.output}/\npython train.py data=shards data.root={asked.output}"


def described(asked: Asked, splits: list[Split]) -> ShardIndex:
    """Return what the shards will be: as asked, or as the images are."""
    files = [file for part, _ in splits for file in part]
    channels = asked.channels or (3 if any(map(has_colours, files[:LOOKED_AT])) else 1)
    side = asked.image_size or side_of(asked.input, files)
    return ShardIndex(
        channels=channels,
        image_size=side,
        classes=[path.name for path in class_folders(training_folder(asked.input))],
        shard_size=asked.shard_size or max(1, SHARD // (channels * side * side)),
        train=len(splits[0][0]),
        test=len(splits[1][0]),
    )


def check(asked: Asked) -> None:
    """Raise UserError if a value is wrong, before anything is read."""
    if not asked.input.is_dir():
        raise UserError(f"input={asked.input} is no folder of images")
    if os.path.lexists(asked.output):
        raise UserError(f"output={asked.output} exists: choose another, or remove it")
    if asked.channels not in (None, *MODES):
        raise UserError(f"channels={asked.channels} must be 1 (grey) or 3 (colour)")
    if not 0 < asked.test_fraction <= 0.9:
        raise UserError(f"test_fraction={asked.test_fraction} must be above 0 and at most 0.9")
    if asked.background not in BACKGROUNDS:
        raise UserError(f"background={asked.background} must be {' or '.join(BACKGROUNDS)}")


def found_splits(asked: Asked) -> list[Split]:
    """Return the files and labels to train on, and to test on, which are data=image_folder's.

    Shuffled: each shard is a sample of its split.
    """
    found = [(np.array(files), labels) for files, labels in labelled_splits(asked.input)]
    splits = [(files, np.array(labels or [0] * len(files), np.int64)) for files, labels in found]
    if len(splits) == 1:
        files, labels = splits[0]
        rows = [part.numpy() for part in held_out_rows(len(files), asked.test_fraction)]
        splits = [(files[part], labels[part]) for part in rows]
    if not len(splits[0][0]):
        raise UserError(f"input={asked.input} has too few images: none is left to train on")
    orders = [np.random.default_rng(0).permutation(len(files)) for files, _ in splits]
    return [(f[o].tolist(), y[o]) for (f, y), o in zip(splits, orders, strict=True)]


def side_of(folder: Path, files: list[str]) -> int:
    """Return the side that all images have; UserError if they differ, or are not square."""
    side = common_side(files)
    if side is None:
        raise UserError(
            f"image_size is missing, and the images in {folder} are not all squares of one size: "
            "say what they become, such as image_size=64"
        )
    return side


def has_colours(file: str) -> bool:
    """Whether an image is more than grey; one that cannot be read is not: whoever reads it says."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            return Image.getmodebase(image.mode) == "RGB"
    except DAMAGED:
        return False


@contextmanager
def whole_or_nothing(output: Path) -> Iterator[Path]:
    """Give a folder to fill, and make it the output; what a killed writer left there is removed.

    Raises:
        UserError: another writer is at work on it.
    """
    folder = output.with_name(f".{output.name}.part")
    folder.mkdir(parents=True, exist_ok=True)
    with (output.parent / f".{output.name}.lock").open("a") as file:
        if not lock(file, 0):
            raise UserError(f"output={output} is being written by another process")
        try:
            shutil.rmtree(folder)
            folder.mkdir()
            yield folder
            for path in (*folder.rglob("*"), folder):
                synced(path)
            folder.rename(output)
            sync_folder(output.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(file.name).unlink(missing_ok=True)


def synced(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    if path.is_dir():
        return sync_folder(path)
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def write_split(
    folder: Path, parts: Iterable[np.ndarray], labels: np.ndarray, shard_size: int
) -> None:
    """Write images, uint8[K, C, H, W] in each part, and their labels int64[N]."""
    from litdata.streaming.writer import BinaryWriter  # takes seconds

    writer, count = BinaryWriter(str(folder), chunk_size=shard_size), 0
    for part in parts:
        for image in part:
            writer.add_item(count, image.tobytes())
            count += 1
    writer.done()
    writer.merge(1)
    np.save(folder / LABELS, labels.astype(np.int64))
