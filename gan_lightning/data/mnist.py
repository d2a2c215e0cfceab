"""MNIST and its siblings, through torchvision."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision import datasets

from gan_lightning.data.module import DataUnavailable, ImageDataModule
from gan_lightning.errors import UserError

KINDS = ("images-idx3", "labels-idx1")
FILES = [f"{split}-{kind}-ubyte" for split in ("train", "t10k") for kind in KINDS]


class MNISTDataModule(ImageDataModule):
    """MNIST, Fashion-MNIST or KMNIST; download, mirrors and checksums are torchvision's.

    Args:
        dataset: torchvision's class: `MNIST`, `FashionMNIST` or `KMNIST`.
        root: the data folder, in torchvision's layout (`MNIST/raw/...`).
        kwargs: as of `ImageDataModule`.
    """

    def __init__(self, dataset: str, root: str, **kwargs: Any) -> None:
        super().__init__(source=str(Path(root).expanduser() / dataset), **kwargs)
        self.dataset: type[datasets.MNIST] = getattr(datasets, dataset)
        self.root = Path(root).expanduser()

    def prepare_data(self) -> None:
        """Fetch the set unless it is there.

        Raises:
            DataUnavailable: it is not there and could not be fetched.
            UserError: a file is there, but is damaged.
        """
        try:
            for train in (True, False):
                split = self.dataset(str(self.root), train=train, download=True)
                if split.data.shape[1:] != (28, 28) or len(split.data) != len(split.targets):
                    raise ValueError(f"{tuple(split.data.shape)}, {len(split.targets)} labels")
        except (AssertionError, EOFError, IndexError, OSError, RuntimeError, ValueError) as error:
            raw, reason = Path(self.source) / "raw", " ".join(str(error).split())
            if all((raw / name).is_file() for name in FILES):
                raise UserError(
                    f"corrupt IDX file in {raw} ({reason}): delete that folder to fetch it again"
                ) from error
            raise DataUnavailable(
                f"{self.name} is not in {self.root.resolve()} and could not be fetched ({reason})"
            ) from error

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split as torchvision reads it."""
        split = self.dataset(str(self.root), train=train)
        return split.data.unsqueeze(1), split.targets.to(torch.int64)
