"""How varied samples are: classes, effective number of images."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def class_shares(predictions: Tensor, num_classes: int) -> Tensor:
    """Return float64[K]: the share of each class among predictions[N]."""
    return torch.bincount(predictions, minlength=num_classes).double() / len(predictions)


def entropy(shares: Tensor) -> float:
    """Return the entropy of shares[K], in nats: log K if all are equal, 0 if there is one."""
    return torch.special.entr(shares).sum().item()


def kl_divergence(shares: Tensor, reference: Tensor) -> float:
    """Return KL(shares | reference) in nats, where 0 log 0 = 0; infinite outside the reference."""
    return torch.where(shares > 0, shares * (shares / reference).log(), 0.0).sum().item()


def vendi_score(features: Tensor) -> float:
    """Return the effective number of different images: 1 if all are equal, N if all orthogonal.

    exp of the entropy of the eigenvalues of K / N, K the cosine similarities of features[N, D].
    Source: Friedman & Dieng 2023, The Vendi Score, definition 3.1 (order 1). K / N = X X^T / N has
    the nonzero eigenvalues of X^T X / N, which is small.
    """
    directions = F.normalize(features.double(), dim=1)
    wide = directions.shape[0] < directions.shape[1]
    matrix = directions @ directions.T if wide else directions.T @ directions
    eigenvalues = torch.linalg.eigvalsh(matrix / len(directions)).clamp(min=0)
    return math.exp(entropy(eigenvalues))
