"""Codes in a latent: categories and continuous values that a generator can learn to use."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LatentCodes(nn.Module):
    """z[B, L] -> [B, L]: turns the first coordinates into codes and keeps the others.

    Latents stay N(0, 1) for everyone: training, sampling, files. The largest of the first
    `categories` coordinates is the category, one-hot: by symmetry all are equally likely. The next
    `continuous` coordinates become 2 Phi(z) - 1, uniform in [-1, 1].

    Source: Chen et al. 2016, InfoGAN, section 4 (the idea of codes).

    Raises:
        ValueError: the latent is too short for so many.
    """

    def __init__(self, latent_dim: int, categories: int = 0, continuous: int = 0) -> None:
        super().__init__()
        if categories + continuous > latent_dim:
            raise ValueError(f"codes=[{categories},{continuous}] need a longer latent_dim")
        self.categories, self.continuous = categories, continuous
        self.counts = [categories, continuous]
        self.size = categories + continuous  # coordinates of the latent that are codes

    def category(self, z: Tensor) -> Tensor:
        """Return int64[B]."""
        return z[:, : self.categories].argmax(dim=1)

    def values(self, z: Tensor) -> Tensor:
        """Return the continuous codes [B, continuous], each in [-1, 1]."""
        return 2.0 * torch.special.ndtr(z[:, self.categories : self.size]) - 1.0

    def forward(self, z: Tensor) -> Tensor:
        if not self.size:
            return z
        parts = [self.values(z), z[:, self.size :]]
        if self.categories:
            parts.insert(0, F.one_hot(self.category(z), self.categories).to(z.dtype))
        return torch.cat(parts, dim=1)

    def with_category(self, z: Tensor, category: Tensor) -> Tensor:
        """Return z[B, L] with the categories category[B] and nothing else changed.

        Swaps the largest of the first coordinates with that of the category.
        """
        z, rows = z.clone(), torch.arange(len(z), device=z.device)
        now = self.category(z)
        z[rows, now], z[rows, category] = z[rows, category], z[rows, now]
        return z

    def with_value(self, z: Tensor, index: int, value: Tensor) -> Tensor:
        """Return z[B, L] with continuous code `index` set to value[B], each in (-1, 1)."""
        z = z.clone()
        z[:, self.categories + index] = torch.special.ndtri((value.to(z.dtype) + 1.0) / 2.0)
        return z

    def by_category(self, z: Tensor) -> Tensor:
        """Return [categories * B, L]: every latent in every category, category by category."""
        category = torch.arange(self.categories, device=z.device).repeat_interleave(len(z))
        return self.with_category(z.repeat(self.categories, 1), category)
