"""scikit-learn's digits, for runs without a network."""

from typing import Any

import torch
from torch import Tensor

from gan_lightning.data.images import ImageDataModule


class DigitsDataModule(ImageDataModule):
    """scikit-learn's 1,797 handwritten digits, 8x8, part of the package: needs no network.

    The first 1,500 are the training split, the rest the test split. Arguments are those of
    `ImageDataModule`.
    """

    def __init__(self, name: str = "digits", **kwargs: Any) -> None:
        super().__init__(name, source="scikit-learn", **kwargs)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the embedded digits, their 17 grey levels stretched to 0..255."""
        from sklearn.datasets import load_digits  # slow import, needed here alone

        digits = load_digits()
        part = slice(0, 1500) if train else slice(1500, None)
        images = torch.from_numpy(digits.images[part] * (255 / 16)).round().to(torch.uint8)
        return images.unsqueeze(1), torch.from_numpy(digits.target[part]).long()
