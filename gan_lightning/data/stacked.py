"""Stacked MNIST: random digits as colour channels, so that there are 1,000 modes to find."""

from typing import Any

import torch
from torch import Tensor

from gan_lightning.data.base import DataUnavailable
from gan_lightning.data.mnist import MNISTDataModule
from gan_lightning.errors import UserError
from gan_lightning.ranges import Count, Place, validated

SPLIT_STREAMS = (1, 0)  # of the test split, of the training split


def mode_index(digits: Tensor) -> Tensor:
    """Return int64[N], the digits[N, C] of C channels read as one number: 0 to 999 for three."""
    places = 10 ** torch.arange(digits.shape[1] - 1, -1, -1)
    return (digits * places).sum(dim=1)


@validated
class StackedMNISTDataModule(MNISTDataModule):
    """Each channel is an MNIST digit drawn at random: 10 to the power of `channels` modes.

    Digits of the training split make the training split, those of the test split the test split;
    which ones depends on `seed` alone. The label is the digits read as one number, if
    `num_classes` is not 0.

    Source: Srivastava et al. 2017, VEEGAN, section 5.1; Metz et al. 2017, Unrolled GANs.

    Args:
        root: the data folder with MNIST in it; the embedded digits cannot replace it.
        size, test_size: images of the two splits.
        kwargs: as of `ImageDataModule`.
    """

    def __init__(
        self,
        root: Place = "data",
        size: Count = 60_000,
        test_size: Count = 26_000,
        name: str = "stacked_mnist",
        **kwargs: Any,
    ) -> None:
        super().__init__("MNIST", root, name, **kwargs)
        self.size = size
        self.test_size = test_size
        modes = 10**self.channels
        if self.num_classes not in (0, modes):
            raise ValueError(
                f"num_classes must be 0 or {modes}, the modes of {self.channels} digits"
            )

    def prepare_data(self) -> None:
        try:
            super().prepare_data()
        except DataUnavailable as error:
            raise UserError(
                f"{error}: {self.name} is made of MNIST; put it there, "
                "or set data.root to where it is"
            ) from error

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return a split: (uint8[size, channels, 28, 28], the modes int64[size])."""
        images, labels = super().load(train)
        key = 2 * self.seed + SPLIT_STREAMS[train]
        rows = torch.randint(
            len(images),
            (self.size if train else self.test_size, self.channels),
            generator=torch.Generator().manual_seed(key),
        )
        stacked = torch.stack([images[row, 0] for row in rows.T], dim=1)
        return stacked, mode_index(labels[rows])

    def mode_shares(self) -> Tensor:
        """Return float64[10 ** channels]: MNIST's digits are not equally frequent."""
        _, labels = super().load(train=True)
        digit = torch.bincount(labels, minlength=10).double() / len(labels)
        shares = digit
        for _ in range(self.channels - 1):
            shares = (shares[:, None] * digit).flatten()
        return shares
