"""Image sets larger than memory, read batch by batch from shards on disk."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from gan_lightning.data.batches import ImageTensors
from gan_lightning.data.images import ImageDataModule
from gan_lightning.data.shard_files import (
    SPLITS,
    ShardIndex,
    ShardPixels,
    check_files,
    imported,
    read_index,
    read_labels,
)
from gan_lightning.errors import UserError
from gan_lightning.ranges import SIDES, Count, Place, validated


class ShardImages(ImageTensors):
    """Images on disk, labels in memory: what is indexed is read.

    Args:
        pixels: the images.
        labels: int64[N].
        window: shards that are shuffled together.
    """

    def __init__(self, pixels: ShardPixels, labels: Tensor, window: int) -> None:
        super().__init__(cast(Tensor, pixels), labels)  # asked for its shape, and indexed
        self.pixels = pixels
        self.window = window

    def near(self, device: torch.device) -> ImageTensors:
        """Return these: there may be more than a GPU holds."""
        return self

    def rows(self, index: Tensor) -> ImageTensors:
        """Return some rows, in ascending order, unread."""
        return ShardImages(self.pixels.of(index), self.labels[index], self.window)

    def shuffled(self, random: np.random.Generator) -> np.ndarray:
        """Return all rows: the shards in random order, the images of `window` of them mixed."""
        shards = self.pixels.shards
        turns = np.empty(shards.max() + 1, np.int64)
        turns[random.permutation(len(turns))] = np.arange(len(turns)) // self.window
        order = random.permutation(len(self))
        return order[np.argsort(turns[shards[order]], kind="stable")]


@validated
class ShardsDataModule(ImageDataModule):
    """Images that `python -m gan_lightning.shards` wrote, in random order, as shards.

    In memory are the labels, an epoch's order and `reals` images of each split for the scores;
    images to train on are read when their batch is due.

    Args:
        root: the folder of shards.
        reals: images of each split that scores, neighbours and feature networks look at.
        window: shards whose images are shuffled together.
        kwargs: as of `ImageDataModule`.
    """

    def __init__(
        self,
        root: Place,
        name: str = "shards",
        reals: Count = 10_000,
        window: Count = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, source=root, **kwargs)
        self.root = Path(root).expanduser()
        self.reals = reals
        self.window = window
        self._index: ShardIndex | None = None
        self._reals: dict[bool, tuple[Tensor, Tensor]] = {}

    @property
    def index(self) -> ShardIndex:
        """What is in the folder; it is read once."""
        self._index = self._index or read_index(self.root)
        return self._index

    def prepare_data(self) -> None:
        """Find out now that something is wrong with the files, without reading all of them."""
        imported()
        if self.num_classes and not self.index.classes:
            raise UserError(f"data.num_classes={self.num_classes}, but {self.root} has no labels")
        check_files(self.root, self.index)

    def class_names(self) -> list[str]:
        return self.index.classes

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the first `reals` images of a split, a random sample; they stay in memory."""
        if train not in self._reals:
            whole = self._on_disk(train, self.index.image_size)
            self._reals[train] = (whole.pixels[: self.reals], whole.labels[: self.reals])
        return self._reals[train]

    def training_split(self) -> ImageTensors:
        return self.chosen(self._on_disk(True, self.resolution))

    def _on_disk(self, train: bool, resolution: int) -> ShardImages:
        folder = self.root / SPLITS[0 if train else 1]
        count = self.index.train if train else self.index.test
        pixels = ShardPixels(folder, self.index, resolution, torch.arange(count))
        return ShardImages(pixels, read_labels(folder, count), self.window)


def shards_hold(root: str) -> dict[str, int]:
    """Return what the config needs of a folder of shards: channels, resolution, num_classes.

    Of one that cannot be read they are those of MNIST: the data module says what is wrong.
    """
    try:
        index = read_index(Path(root).expanduser())
    except UserError:
        return {"channels": 1, "resolution": 28, "num_classes": 0}
    return {
        "channels": index.channels,
        "resolution": next((side for side in SIDES if side >= index.image_size), SIDES[-1]),
        "num_classes": len(index.classes),
    }
