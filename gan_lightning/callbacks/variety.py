"""How varied a set of images is, in pixel space."""

import torch
from torch import Tensor

SATURATED = 0.99  # a pixel beyond this is at an end of tanh


def pairwise_distances(images: Tensor) -> Tensor:
    """Return the Euclidean distances [N, N] of images[N, C, H, W] in pixel space."""
    flat = images.float().flatten(1)
    return torch.cdist(flat, flat)


def nearest_distances(distances: Tensor) -> Tensor:
    """Return each image's distance to its nearest other one, from distances[N, N]."""
    return (distances + torch.diag(torch.full_like(distances.diagonal(), torch.inf))).amin(dim=1)


def mean_distance(distances: Tensor) -> float:
    """Return the mean distance of two different images."""
    count = len(distances)
    return distances.sum().item() / max(count * (count - 1), 1)


def twin_pairs(distances: Tensor, twin: float) -> float:
    """Return the share of pairs that are twins: one over the number of different images.

    Two independent draws from n equally likely images are equal with probability 1/n.
    Source: Arora & Zhang 2018, Do GANs learn the distribution?, section 3 (the birthday paradox).
    """
    count = len(distances)
    close = (distances <= twin).sum().item() - count  # without the diagonal
    return max(close, 0) / max(count * (count - 1), 1)


def variance_within(images: Tensor, label: Tensor) -> float:
    """Return the variance of a pixel among the images of one class, averaged over the images."""
    flat = images.float().flatten(1)
    groups = [flat[label == y] for y in label.unique()]
    total = sum((g - g.mean(dim=0)).square().sum().item() for g in groups)
    return total / flat.numel()


def grey_share(images: Tensor) -> float:
    """Return the share of pixels that are not at -1 or 1."""
    return (images.abs() < SATURATED).float().mean().item()
