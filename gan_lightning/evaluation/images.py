"""Images that came from somewhere else: whatever `data=array` and `data=image_folder` read."""

import re
from pathlib import Path

import torch

from gan_lightning.data import DataModule
from gan_lightning.data.array_files import Arrays, read_split
from gan_lightning.data.image_files import (
    MODES,
    common_side,
    labelled_files,
    read_files,
    training_folder,
)
from gan_lightning.errors import UserError

MAX_IMAGE = 3 * 512 * 512  # numbers: sets of small images


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


def _read_folder(path: Path, limit: int, reals: DataModule) -> Arrays:
    files, known = labelled_files(path, reals.class_names() if reals.num_classes else None)
    if known:
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
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
