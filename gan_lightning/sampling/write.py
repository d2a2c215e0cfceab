"""Writing samples: a grid, PNGs, an NPZ, IDX or CSV file, in bounded memory however many."""

import csv
import shutil
import tempfile
import zipfile
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
import torch

from gan_lightning.pixels import grid, save_png, scatter, to_uint8, visible
from gan_lightning.sampling.idx_pair import Chunks, is_idx, write_idx
from gan_lightning.sampling.place import grid_shape, is_point
from gan_lightning.system.files import atomic_write
from gan_lightning.tables import Schema

NUMBERED = "[0-9]" * 6 + "*.png"  # files of a folder that was written before


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
