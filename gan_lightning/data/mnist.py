"""MNIST and its siblings, in torchvision's layout."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision import datasets

from gan_lightning.data.base import DataUnavailable
from gan_lightning.data.download import ensure
from gan_lightning.data.idx import corrupt, read_idx, unlike_known
from gan_lightning.data.images import ImageDataModule
from gan_lightning.ranges import Place, validated

NAMES = {"MNIST": "mnist", "FashionMNIST": "fashion_mnist", "KMNIST": "kmnist"}


@validated
class MNISTDataModule(ImageDataModule):
    """MNIST, Fashion-MNIST or KMNIST; files, mirrors and checksums are torchvision's.

    Args:
        dataset: torchvision's class: `MNIST`, `FashionMNIST` or `KMNIST`.
        root: the data folder, in torchvision's layout (`MNIST/raw/...`).
        name: by default `mnist`, `fashion_mnist` or `kmnist`.
        kwargs: as of `ImageDataModule`.

    Raises:
        ValueError: `dataset` is not one of these.
    """

    def __init__(
        self, dataset: str = "MNIST", root: Place = "data", name: str | None = None, **kwargs: Any
    ) -> None:
        if dataset not in NAMES:
            raise ValueError(f"dataset={dataset} must be one of {', '.join(NAMES)}")
        folder = Path(root).expanduser() / dataset
        super().__init__(name or NAMES[dataset], source=str(folder), **kwargs)
        self.dataset: type[datasets.MNIST] = getattr(datasets, dataset)
        self.root = folder.parent
        self.raw = folder / "raw"
        self._splits: dict[bool, tuple[Tensor, Tensor]] = {}

    def prepare_data(self) -> None:
        """Fetch the set unless it is there; read every file.

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
        for train in (False, True):
            self.load(train)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split, read once; CorruptFile if a file is damaged or does not fit the other."""
        if train not in self._splits:
            self._splits[train] = self._read("train" if train else "t10k")
        return self._splits[train]

    def _read(self, split: str) -> tuple[Tensor, Tensor]:
        images = self.raw / f"{split}-images-idx3-ubyte"
        labels = self.raw / f"{split}-labels-idx1-ubyte"
        x, y = read_idx(images, 3), read_idx(labels, 1)
        if x.shape[1:] != (28, 28):
            raise corrupt(images, f"{list(x.shape)}, not images of 28x28")
        if y.shape != x.shape[:1]:
            raise corrupt(labels, f"{len(y):,} labels for {len(x):,} images")
        for path, array in ((labels, y), (images, x)):
            if unlike_known(self.dataset.__name__, path.name, array):
                self.remark = f"{path} is not the file that everybody has (SHA-256)"
        return torch.from_numpy(x).unsqueeze(1), torch.from_numpy(y).to(torch.int64)
