"""Codes in a latent: categories and continuous values to learn to use; clusters of the data."""

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


class ClusterCode(nn.Module):
    """z[B, L] -> cluster int64[B]: its first coordinate says in which of K clusters z lies.

    Phi(z) is uniform in [0, 1], and `edges` cut that into the shares that the clusters have of the
    training images. They are a buffer, equal until they are set.
    """

    edges: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.register_buffer("edges", torch.arange(1.0, count + 1.0) / count)

    def set_shares(self, shares: Tensor) -> None:
        """Take the clusters' shares [K], which sum to 1."""
        edges = shares.double().cumsum(0)
        self.edges.copy_(edges / edges[-1])

    def forward(self, z: Tensor) -> Tensor:
        place = torch.special.ndtr(z[:, 0].float())
        # As torch.searchsorted(right=True), of which ONNX has none.
        return (self.edges <= place[:, None]).sum(dim=1).clamp_max(self.count - 1)

    def move(self, z: Tensor, cluster: Tensor) -> Tensor:
        """Return z[B, L] moved into the clusters int64[B], at the same place within its share."""
        high, low = self.edges[cluster], self.edges.roll(1)[cluster].where(cluster > 0, 0.0)
        inside = torch.special.ndtr(z[:, 0].float()).clamp(0.001, 0.999)  # not at another's edge
        place = low + (high - low) * inside
        return torch.cat([torch.special.ndtri(place)[:, None].to(z.dtype), z[:, 1:]], dim=1)
