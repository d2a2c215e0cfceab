"""MNIST and its siblings, in torchvision's layout."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision import datasets

from gan_lightning.data.base import DataUnavailable
from gan_lightning.data.download import ensure
from gan_lightning.data.idx import CorruptFile, read_idx, unlike_known
from gan_lightning.data.images import ImageDataModule

SETS = {"MNIST": datasets.MNIST, "FashionMNIST": datasets.FashionMNIST, "KMNIST": datasets.KMNIST}


class MNISTDataModule(ImageDataModule):
    """MNIST, Fashion-MNIST or KMNIST; files, mirrors and checksums are torchvision's.

    Args:
        dataset: torchvision's class: `MNIST`, `FashionMNIST` or `KMNIST`.
        root: the data folder, in torchvision's layout (`MNIST/raw/...`).
        kwargs: as of `ImageDataModule`.

    Raises:
        ValueError: another set.
    """

    def __init__(self, dataset: str, root: str, **kwargs: Any) -> None:
        super().__init__(source=str(Path(root).expanduser() / dataset), **kwargs)
        if dataset not in SETS:
            raise ValueError(f"dataset={dataset} must be one of {', '.join(SETS)}")
        self.dataset: type[datasets.MNIST] = SETS[dataset]
        self.root = Path(root).expanduser()
        self.raw = Path(self.source) / "raw"

    def prepare_data(self) -> None:
        """Fetch the set unless it is there; look at every file.

        Raises:
            DataUnavailable: it is not there and could not be fetched.
            CorruptFile: a file is there, but is damaged.
        """
        try:
            for packed, md5 in self.dataset.resources:
                ensure(self.raw, packed, md5, self.dataset.mirrors)
        except OSError as error:
            reason = " ".join(str(error).split())
            raise DataUnavailable(
                f"{self.name} is not in {self.root.resolve()} and could not be fetched ({reason})"
            ) from error
        for train in (True, False):
            self.load(train)
        names = [packed.removesuffix(".gz") for packed, _ in self.dataset.resources]
        other = [name for name in names if unlike_known(self.raw, name)]
        if other:
            self.remark = f"{self.raw / other[0]} is not the file that everybody has (SHA-256)"

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split.

        Raises:
            CorruptFile: a file is damaged, or two do not fit together.
        """
        split = "train" if train else "t10k"
        images = self.raw / f"{split}-images-idx3-ubyte"
        labels = self.raw / f"{split}-labels-idx1-ubyte"
        x, y = read_idx(images), read_idx(labels)
        if x.shape[1:] != (28, 28):
            raise CorruptFile(f"corrupt IDX file: {images}: {list(x.shape)}, not images of 28x28")
        if y.shape != x.shape[:1]:
            raise CorruptFile(
                f"corrupt IDX file: {labels}: {len(y):,} labels for {len(x):,} images"
            )
        return x.unsqueeze(1), y.to(torch.int64)
