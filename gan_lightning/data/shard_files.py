"""Folders of shards: raw pixels in litdata's files, labels beside them, and what is in them.

FOLDER/shards.json           channels, image_size, classes, shard_size, train, test
FOLDER/train/index.json      litdata's list of its files chunk-0-0.bin, ...
FOLDER/train/labels.npy      int64[N], in the order of the images
FOLDER/test/...
"""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lightning.data.batches import CPU
from gan_lightning.data.images import resize
from gan_lightning.data.npz import UNREADABLE
from gan_lightning.errors import UserError

INDEX, LABELS = "shards.json", "labels.npy"
SPLITS = ("train", "test")
# litdata's own kinds of items include pickles, which may run code.
PLAIN = {"data_format": ["bytes"], "compression": None, "encryption": None}


@dataclass(frozen=True)
class ShardIndex:
    """What `shards.json` says of a folder."""

    channels: int
    image_size: int  # side of the square images
    classes: list[str]  # what the labels mean; []: there are none
    shard_size: int  # images in each shard but a split's last
    train: int  # images of the split
    test: int

    def write(self, root: Path) -> None:
        (root / INDEX).write_text(json.dumps({"format": 1} | asdict(self), indent=2) + "\n")


def read_index(root: Path) -> ShardIndex:
    """Return what is in a folder of shards.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if not (root / INDEX).is_file():
        # The output must not exist yet: a folder that does is taken for one of images.
        io = f"input={root} output={root}-shards" if root.is_dir() else f"input=DIR output={root}"
        way = f"write it by python -m gan_lightning.shards {io}"
        raise UserError(f"data.root={root} holds no {INDEX}: {way}")
    try:
        found = json.loads((root / INDEX).read_text())
        if found.pop("format") != 1:
            raise ValueError("of another version")
        index = ShardIndex(**found)
        sizes = (index.channels, index.image_size, index.shard_size, index.train, index.test)
        names = isinstance(index.classes, list) and all(isinstance(n, str) for n in index.classes)
        if not names or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError("a value is wrong")
    except UNREADABLE as error:
        raise damaged(root / INDEX, str(error)) from error
    return index


def check_files(root: Path, index: ShardIndex) -> None:
    """Raise UserError if a split's files are not those, and as long as, its index says."""
    for split in SPLITS:
        folder = root / split
        try:
            listed = json.loads((folder / "index.json").read_text())
            config, chunks = listed["config"], listed["chunks"]
            plain = {key: config.get(key) for key in PLAIN} == PLAIN
            plain = plain and json.loads(config["data_spec"])[1]["type"] is None  # no structure
            images = sum(chunk["chunk_size"] for chunk in chunks)
            sizes = {folder / str(chunk["filename"]): chunk["chunk_bytes"] for chunk in chunks}
        except UNREADABLE as error:
            raise damaged(folder / "index.json", str(error)) from error
        if not plain or images != getattr(index, split):
            raise damaged(folder / "index.json", f"not {getattr(index, split):,} plain images")
        for file, size in sizes.items():
            if file.parent != folder or not file.is_file() or file.stat().st_size != size:
                raise damaged(file, f"not {size:,} bytes long")


def read_labels(folder: Path, count: int) -> Tensor:
    """Return the labels int64[N] of a split."""
    try:
        labels = np.load(folder / LABELS, allow_pickle=False)
    except UNREADABLE as error:
        raise damaged(folder / LABELS, str(error)) from error
    if labels.dtype != np.int64 or labels.shape != (count,):
        raise damaged(folder / LABELS, f"not {count:,} labels")
    return torch.from_numpy(labels)


def damaged(file: Path, reason: str) -> UserError:
    """Return the error about a file of a folder of shards."""
    words = " ".join(reason.split())[:150]
    return UserError(f"{file} is damaged ({words}): write the shards again")


class ShardPixels:
    """uint8[N, C, H, W] on disk: read when it is indexed, as a tensor is.

    Args:
        folder: of a split.
        index: of the folder of shards.
        resolution: side to which what is read is resized.
        rows: which images of the split these are, int64[N], ascending.
    """

    dtype, device = torch.uint8, CPU

    def __init__(self, folder: Path, index: ShardIndex, resolution: int, rows: Tensor) -> None:
        self.folder, self.index, self.resolution, self.rows = folder, index, resolution, rows
        self._opened: tuple[int, Any] = (0, None)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self), self.index.channels, self.resolution, self.resolution))

    @property
    def shards(self) -> np.ndarray:
        """Which shard each image is in."""
        return self.rows.numpy() // self.index.shard_size

    def of(self, rows: Tensor) -> "ShardPixels":
        """Return some of these images, unread."""
        return ShardPixels(self.folder, self.index, self.resolution, self.rows[rows])

    def split(self, size: int) -> Iterator[Tensor]:
        for first in range(0, len(self), size):
            yield self[first : first + size]

    def __getitem__(self, where: slice | Tensor) -> Tensor:
        return self.index_select(0, torch.arange(len(self))[where])

    def index_select(self, _: int, rows: Tensor) -> Tensor:
        """Read images[rows], each shard's together."""
        wanted = self.rows[rows]
        ascending, order = wanted.sort()
        shape = (self.index.channels, self.index.image_size, self.index.image_size)
        found = np.empty((len(rows), *shape), np.uint8)
        for place, row in zip(order.tolist(), ascending.tolist(), strict=True):
            found[place] = np.frombuffer(self._dataset[row], np.uint8).reshape(shape)
        return resize(torch.from_numpy(found), self.resolution)

    @property
    def _dataset(self) -> Any:
        """What reads, opened by this process: forks would share the place in a file."""
        if self._opened[0] != os.getpid():
            self._opened = (os.getpid(), streaming_dataset(self.folder))
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": (0, None)}


def streaming_dataset(folder: Path) -> Any:
    """Return litdata's reader of a split, for single images in any order."""
    # By default it decodes 256 neighbours of each, which only reading in order is quicker for.
    return imported().StreamingDataset(str(folder), batch_decode=False)


def imported() -> Any:
    """Return litdata; UserError if it is not installed."""
    try:
        import litdata  # takes seconds, and other data does without
    except ImportError as error:
        raise UserError(
            f"data=shards needs litdata: pip install -c constraints.txt -e '.[shards]' ({error})"
        ) from error
    logging.getLogger("litdata").setLevel(logging.WARNING)  # it tells what it does with files
    return litdata
