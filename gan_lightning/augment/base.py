"""The interface of augmentations, and what they share."""

import torch
from torch import Tensor, nn


class Augment(nn.Module):
    """`augment(images[B, C, H, W]) -> same shape`, each image on its own."""

    def update(self, real_logits: Tensor) -> None:
        """Adapt to D's logits[B] (or their signs) of augmented reals; most augmentations do not."""


class NoAugment(Augment):
    """Leaves images as they are."""

    def forward(self, images: Tensor) -> Tensor:
        return images


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """Return one number per image of x, [B]."""
    return low + (high - low) * torch.rand(len(x), device=x.device, dtype=x.dtype)


def gather(x: Tensor, index: Tensor) -> Tensor:
    """Return x[B, C, H, W] at flat pixel numbers index[B, H, W]."""
    flat = index.flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, flat).view(x.shape)
