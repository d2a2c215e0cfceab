"""Data sets that are read from a file or a folder once: what they share."""

from typing import Any

import torch
from torch import Tensor

from gan_lightning.data.array_files import Arrays
from gan_lightning.data.images import ImageDataModule
from gan_lightning.data.labels import check_labels


class FileDataModule(ImageDataModule):
    """Reads once; without a test split of its own, random images are held out for one.

    The held-out images are always the same ones, whatever the seed, so that scores of two runs
    stand on the same reals.

    Args:
        test_fraction: share of the images to hold out, at least one image.
        kwargs: as of `ImageDataModule`.
    """

    def __init__(self, test_fraction: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.test_fraction = test_fraction
        self._splits: tuple[Arrays, Arrays] | None = None

    def read(self) -> tuple[Arrays, Arrays | None]:
        """Return (images uint8[N, C, H, W], labels int64[N] or None) to train on, and to test on.

        None in the place of the latter: they have to be held out.
        """
        raise NotImplementedError

    def prepare_data(self) -> None:
        """Find out now that something is wrong with the files."""
        self.load(train=True)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split.

        Raises:
            UserError: too few images, or labels that are not there or do not fit.
        """
        if self._splits is None:
            whole, test = self.read()
            self._splits = (whole, test) if test else self._hold_out(whole)
            for part, found in self._splits:
                check_labels(self.source, len(part), found, self.num_classes)
        images, labels = self._splits[0 if train else 1]
        if labels is None:
            labels = torch.zeros(len(images), dtype=torch.int64)
        return images, labels

    def _hold_out(self, whole: Arrays) -> tuple[Arrays, Arrays]:
        images, labels = whole
        count = max(1, round(self.test_fraction * len(images)))
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        rows = (order[count:].sort()[0], order[:count].sort()[0])
        train, test = ((images[r], None if labels is None else labels[r]) for r in rows)
        return train, test
