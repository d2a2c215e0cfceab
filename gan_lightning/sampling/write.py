"""Writing samples: a grid, PNGs, an NPZ, IDX or CSV file, in bounded memory however many."""

import csv
import math
import os
import shutil
import tempfile
import zipfile
from collections.abc import Collection
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
import torch

from gan_lightning.errors import UserError
from gan_lightning.pixels import SIDE, grid, grid_size, save_png, scatter, to_uint8, visible
from gan_lightning.sampling.idx_pair import Chunks, is_idx, labels_beside, write_idx
from gan_lightning.system.files import atomic_write
from gan_lightning.system.portable import blocks_and_slots
from gan_lightning.tables import Schema

MAX_GRID = 1 << 26  # pixels; twice a large screen's side in each direction, 74,000 digits
IDX = "-images-idx3-ubyte"
ENDINGS = {  # of an output: what it is
    ".png": "a grid",
    ".gif": "an animation",
    ".webp": "an animation",
    ".npz": "arrays",
    ".csv": "rows of a table",
    IDX: "MNIST's format",
    "": "a folder",
}
OF_TABLES = (".csv", ".png", ".gif", ".webp")
_LABEL = 8  # bytes, int64
NUMBERED = "[0-9]" * 6 + "*.png"  # files of a folder that was written before
_FIELD = 24  # bytes of a field of a CSV file, as a rule
_PNG = 256  # bytes of a PNG beyond its pixels, at most, for small images


def free_path(path: Path) -> Path:
    """Return the path, numbered if something is there already."""
    number, candidate = 1, path
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def check_output(
    path: Path, overwrite: bool, table: bool = False, endings: Collection[str] = tuple(ENDINGS)
) -> None:
    """Raise UserError if the suffix is unknown, or not for a table's rows, or the path is taken.

    `endings` are those that may be chosen from, "" for a folder, `IDX` for MNIST's format.
    """
    idx = is_idx(path)
    if table:
        endings = [ending for ending in endings if ending in OF_TABLES]
    if (IDX if idx else path.suffix) not in endings:
        words = ", ".join(f"{ending or '/'} ({ENDINGS[ending]})" for ending in endings)
        kind = ": this is a table" if table else ""
        raise UserError(f"output={path}: end it in {words}{kind}")
    if path.suffix == ".csv" and not table:
        raise UserError(f"output={path}: this generator draws images, not rows of a table")
    place = next(one for one in path.absolute().parents if os.path.lexists(one))
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise UserError(f"output={path}: {place} is no folder that can be written to")
    taken = any(path.iterdir()) if path.is_dir() else os.path.lexists(path)
    taken = taken or (idx and os.path.lexists(labels_beside(path)))
    if taken and not overwrite:
        raise UserError(f"output={path} exists: choose another, or set overwrite=true")
    single = [path, labels_beside(path)] if idx else [path] if path.suffix else []
    for file in single:
        if file.is_dir():
            raise UserError(f"output={file} is a folder: choose another")


def is_point(shape: tuple[int, ...]) -> bool:
    """Whether [C, H, W] is the shape of a point, not of an image."""
    return tuple(shape[1:]) == (1, 1)


def grid_shape(count: int, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (columns, height, width) of the picture of `count` images [C, H, W], with borders."""
    if is_point(shape):
        return 1, SIDE, SIDE
    height, width = visible(torch.empty(1, *shape)).shape[2:]
    columns = math.isqrt(count - 1) + 1
    return columns, *grid_size(count, columns, height, width)


def disk_needed(path: Path, count: int, shape: tuple[int, ...], labelled: bool) -> tuple[int, int]:
    """Return (bytes, files) that samples [C, H, W] take at most: pixels may not compress at all."""
    pixels = math.prod(shape)
    if path.suffix == ".csv":
        return count * (pixels + labelled) * _FIELD, 1
    if path.suffix == ".png":
        _, height, width = grid_shape(count, shape)
        return (1 if shape[0] == 1 else 3) * height * width + _PNG, 1
    if is_idx(path):
        return count * (pixels + labelled), 1 + labelled
    if path.suffix == ".npz":  # the labels twice: they wait in a file of their own
        return count * (pixels + labelled * 2 * _LABEL), 1
    block, _ = blocks_and_slots(_existing(path))
    return count * math.ceil((pixels + _PNG) / block) * block, count


def _existing(path: Path) -> Path:
    """Return the nearest folder that is there."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())


def check_room(path: Path, count: int, shape: tuple[int, ...], labelled: bool) -> str:
    """Return a sentence on how much disk space the samples need.

    Raises:
        UserError: there is less space, or a grid would be too large to look at.
    """
    if path.suffix == ".png":
        _, height, width = grid_shape(count, shape)
        if height * width > MAX_GRID:
            raise UserError(
                f"output={path}: a grid of {count:,} images would have {height:,} x {width:,} "
                "pixels; end it in .npz (arrays) or / (a folder)"
            )
    needed, files = disk_needed(path, count, shape, labelled)
    place = _existing(path)
    free, slots = shutil.disk_usage(place).free, blocks_and_slots(place)[1]
    sentence = f"{count:,} samples need up to {_size(needed)} of disk"
    if needed > free:
        raise UserError(
            f"output={path}: {sentence}, {_size(free)} are free: lower num_samples or "
            "choose another place"
        )
    if 0 < slots < files:
        raise UserError(f"output={path}: its disk has room for {slots:,} files: use .npz")
    return f"{sentence}, {_size(free)} are free"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


def write_samples(
    path: Path, chunks: Chunks, count: int, schema: Schema | None = None, num_classes: int = 0
) -> None:
    """Write `count` samples, a chunk at a time; the ending of the path says how.

    Files appear whole or not at all. A CSV file has the columns of `schema`. `num_classes` says
    how long the names of folders for labels have to be to sort as the labels do.

    Raises:
        ValueError: `chunks` holds fewer samples.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    width = len(str(max(num_classes - 1, 0)))
    if is_idx(path):
        write_idx(path, chunks, count)
    elif path.suffix == ".png":
        atomic_write(path, lambda file: _write_grid(file, chunks, count))
    elif path.suffix == ".npz":
        atomic_write(path, lambda file: _write_npz(file, chunks, count))
    elif schema is not None:
        atomic_write(path, lambda file: _write_csv(file, chunks, schema))
    else:
        _write_folder(path, chunks, count, width)


def _write_grid(path: Path, chunks: Chunks, count: int) -> None:
    first, _ = next(chunks)
    every = chain([first], (images for images, _ in chunks))
    if is_point(first.shape[1:]):
        save_png(scatter(None, every), path)
        return
    columns, *_ = grid_shape(count, first.shape[1:])
    save_png(grid((image for part in every for image in to_uint8(part)), count, columns), path)


def _write_csv(path: Path, chunks: Chunks, schema: Schema) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=schema.delimiter, lineterminator="\n")
        for index, (points, labels) in enumerate(chunks):
            if not index:
                writer.writerow(schema.header(labels is not None))
            known = None if labels is None else labels.numpy()
            writer.writerows(schema.rows(points.flatten(1).numpy(), known))


def _write_npz(path: Path, chunks: Chunks, count: int) -> None:
    """Stream into the zip file: images as they come, labels through an unnamed temporary file."""
    first, first_labels = next(chunks)
    written = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        tempfile.TemporaryFile(dir=path.parent) as kept,
    ):
        with archive.open("images.npy", "w", force_zip64=True) as file:
            _header(file, "|u1", (count, *first.shape[1:]))
            for images, labels in chain([(first, first_labels)], chunks):
                file.write(to_uint8(images).contiguous().numpy().data)
                if labels is not None:
                    kept.write(labels.to(torch.int64).numpy().astype("<i8").data)
                written += len(images)
        if written != count:
            raise ValueError(f"{written} samples came, not {count}")
        if first_labels is not None:
            kept.seek(0)
            with archive.open("labels.npy", "w", force_zip64=True) as file:
                _header(file, "<i8", (count,))
                shutil.copyfileobj(kept, file)


def _header(file: IO[bytes], kind: str, shape: tuple[int, ...]) -> None:
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _write_folder(path: Path, chunks: Chunks, count: int, width: int) -> None:
    """Write a PNG a sample, those with labels into a folder for each, as ImageFolder reads them."""
    path.mkdir(exist_ok=True)
    for earlier in (*path.glob(NUMBERED), *path.glob(f"[0-9]*/{NUMBERED}")):
        earlier.unlink()  # a smaller set must not keep old images
    index, digits = 0, max(6, len(str(count - 1)))  # so that names sort as the samples do
    for images, labels in chunks:
        for position, image in enumerate(visible(to_uint8(images))):
            folder = path if labels is None else path / f"{int(labels[position]):0{width}d}"
            folder.mkdir(exist_ok=True)
            save_png(image, folder / f"{index:0{digits}d}.png")
            index += 1
