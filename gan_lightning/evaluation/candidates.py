"""The images to score: drawn from generators, or read from files."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lightning.config.schema import EvaluateConfig
from gan_lightning.data import DataModule, TableDataModule
from gan_lightning.data.array_files import Arrays, read_split
from gan_lightning.data.image_files import (
    MODES,
    class_folders,
    common_side,
    labelled_files,
    read_files,
    training_folder,
)
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import generator_of, read_generator
from gan_lightning.pixels import to_uint8
from gan_lightning.sampling.draw import one_device, sample_chunks
from gan_lightning.sampling.latents import sample_latents
from gan_lightning.system.files import sha256
from gan_lightning.tables import Schema, encode_rows

FEWEST = 100  # images; below, no score means anything
MAX_IMAGE = 3 * 512 * 512  # numbers: sets of small images


@dataclass(frozen=True)
class Candidate:
    """A set of images and where it came from."""

    name: str  # short, for the table
    images: Tensor  # uint8[N, C, H, W]; of a table float[N, D, 1, 1], as the reals' rows are
    labels: Tensor | None  # int64[N] that were asked for
    about: dict[str, Any]  # for the JSON file
    categories: Tensor | None = None  # int64[N] of the latents of a generator with such codes

    def first(self, count: int) -> "Candidate":
        """Return the first images alone."""
        labels = None if self.labels is None else self.labels[:count]
        categories = None if self.categories is None else self.categories[:count]
        return Candidate(self.name, self.images[:count], labels, self.about, categories)


def collect(asked: EvaluateConfig, reals: DataModule) -> list[Candidate]:
    """Return all candidates with the same number of images, on which FID and others depend.

    The reals beside which they stand need not be loaded yet.

    Raises:
        UserError: one cannot be read, or has too few images.
    """
    found = [_drawn(Path(path), asked, reals) for path in asked.generator]
    found += [_read(Path(path), asked.num_samples, reals) for path in asked.images]
    for candidate in found:
        if len(candidate.images) < FEWEST:
            raise UserError(
                f"{candidate.name}: {len(candidate.images)} images are too few to score; "
                f"at least {FEWEST} are needed"
            )
    fewest = min(len(candidate.images) for candidate in found)
    names = short_names([Path(candidate.about["file"]) for candidate in found])
    return [replace(c, name=name).first(fewest) for name, c in zip(names, found, strict=True)]


def short_names(files: list[Path]) -> list[str]:
    """Return the shortest endings of the paths that differ; equal paths are numbered."""
    paths = [file.parent if file == generator_of(file.parent) else file for file in files]
    paths = [path.resolve() for path in paths]
    for parts in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            break
    return [
        name if names.count(name) == 1 else f"{name} ({1 + names[:i].count(name)})"
        for i, name in enumerate(names)
    ]


def _drawn(path: Path, asked: EvaluateConfig, reals: DataModule) -> Candidate:
    generator, metadata, file = read_generator(path, asked.trust)
    generator = generator.to(one_device(asked.accelerator))
    # Labels drawn from the data's P(Y): in turn, the classes' unequal shares would count as error.
    known = (metadata.labels, metadata.class_counts)
    chunks = list(sample_chunks(generator, asked.num_samples, asked.seed, *known))
    labels = [label for _, label in chunks if label is not None]
    said = "drawn from P(Y)" if metadata.class_counts else "in turn: the file does not tell P(Y)"
    about = {
        "file": str(file),
        "sha256": sha256(file),
        "generator": metadata.class_name,
        "data": metadata.dataset,
        "classes": metadata.classes,
        "images_seen": metadata.images_seen,
        "conditional": bool(labels),
        "labels": said if metadata.labels else "none",
        "seed": asked.seed,
    }
    if isinstance(reals, TableDataModule) or metadata.schema:
        points = torch.cat([point for point, _ in chunks])
        points = _as_rows_of(reals, metadata.schema, points, path)
        return Candidate(path.name, points, torch.cat(labels) if labels else None, about)
    images = torch.cat([to_uint8(image) for image, _ in chunks])
    codes, categories = generator.latent_codes, None
    if codes.categories:
        z = sample_latents(asked.seed, 0, len(images), generator.latent_dim)
        categories = codes.category(z)
    return Candidate(path.name, images, torch.cat(labels) if labels else None, about, categories)


def _as_rows_of(reals: DataModule, schema: Schema | None, points: Tensor, path: Path) -> Tensor:
    """Return points in the coordinates of a table's reals; UserError if they are of another one."""
    known = reals.schema if isinstance(reals, TableDataModule) else None

    def shape(of: Schema | None) -> list[tuple[str, int, list[str]]]:
        return [(c.name, c.width, c.values) for c in of.columns] if of else []

    if known is None or schema is None or shape(known) != shape(schema):
        raise UserError(f"{path} draws rows of another table than {reals.name} in {reals.source}")
    values = schema.decode(points.flatten(1).numpy())
    return torch.from_numpy(known.encode(values))[:, :, None, None]


def _read(path: Path, limit: int, reals: DataModule) -> Candidate:
    if isinstance(reals, TableDataModule):
        points, codes = encode_rows(path, reals.schema)
        found = torch.from_numpy(points)[:limit, :, None, None]
        y = None if codes is None else torch.from_numpy(codes)[:limit]
        return Candidate(path.name, found, y, {"file": str(path), "sha256": sha256(path)})
    images, labels = read_images(path, limit, reals)
    digest = hashlib.sha256(images.contiguous().numpy().data).hexdigest()
    about = {"file": str(path), "sha256_of_pixels": digest}
    return Candidate(path.name, images, labels, {**about, "conditional": labels is not None})


def read_images(path: Path, limit: int, reals: DataModule) -> Arrays:
    """Return (uint8[N, C, H, W], labels int64[N] or None), at most `limit` of them.

    A file: see `ArrayDataModule`. Images in a folder are brought to the channels of the reals
    and, unless all are square and of one size, to their resolution. Labels are their folders'
    places among the classes of the reals, or stand in their names: `000000-7.png` has label 7, as
    sample.py writes it. Of images in class folders a random part is read.

    Raises:
        UserError: the path holds no such images.
    """
    if path.is_dir():
        return _read_folder(training_folder(path), limit, reals)
    if not path.is_file():
        raise UserError(f"images={path}: name a folder or a file of images that exists")
    found = read_split(path, limit=limit, largest=MAX_IMAGE)
    assert found is not None
    return found


def _names(path: Path, reals: DataModule) -> list[str]:
    """Return what the folders of the classes are called: as of the reals, or as sample.py does."""
    names, folders = list(reals.class_names()), [folder.name for folder in class_folders(path)]
    if folders and all(name.isdigit() for name in folders) and not set(folders) <= set(names):
        return [f"{label:0{len(folders[0])}d}" for label in range(reals.num_classes)]
    return names


def _read_folder(path: Path, limit: int, reals: DataModule) -> Arrays:
    files, known = labelled_files(path, _names(path, reals) if reals.num_classes else None)
    if known:
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
        if all(re.fullmatch("[0-9]{6,}", Path(file).stem) for file in files):  # by sample.py
            order.sort(key=lambda i: int(Path(files[i]).stem))
        files, known = [files[i] for i in order], [known[i] for i in order]
    files = files[:limit]
    side = common_side(files)
    if not side or side * side > MAX_IMAGE:
        side = reals.resolution
    channels = reals.channels if reals.channels in MODES else 1
    images, _ = read_files(files, channels, side, getattr(reals, "background", "black"))
    marks = [re.fullmatch(r"[0-9]{6,}-([0-9]{1,9})", Path(file).stem) for file in files]
    told = [int(mark[1]) for mark in marks if mark]
    labels = known[:limit] if known else told if len(told) == len(files) else None
    return images, None if labels is None else torch.tensor(labels)
