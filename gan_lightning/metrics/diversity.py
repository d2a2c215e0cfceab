"""How varied samples are: classes, modes, effective number of images."""

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Modes:
    """How many modes were found, and how evenly.

    Attributes:
        count: how many.
        reverse_kl: KL(fakes' modes | reals' modes), in nats.
    """

    count: int
    reverse_kl: float


def mode_index(predictions: Tensor, num_classes: int = 10) -> Tensor:
    """Return int64[N], one number per combination: predictions[N, C] of C channels as digits.

    On stacked MNIST, [N, 3] gives 0 to 999.
    """
    weights = num_classes ** torch.arange(predictions.shape[1] - 1, -1, -1)
    return (predictions * weights).sum(dim=1)


def count_modes(modes: Tensor, num_modes: int, reference: Tensor | None = None) -> Modes:
    """Return how many of the modes are among modes[N], and the reverse KL to the reference.

    Source: Srivastava et al. 2017, VEEGAN, section 5.1; Lin et al. 2018, PacGAN, section 4.1
    (26,000 samples, 1,000 modes, reverse KL).

    Args:
        modes: int64[N], the classifier's.
        num_modes: how many there are.
        reference: float64[num_modes], the reals' shares; None: all equal.
    """
    shares = class_shares(modes, num_modes)
    if reference is None:
        reference = torch.full((num_modes,), 1 / num_modes, dtype=torch.float64)
    return Modes(int((shares > 0).sum()), kl_divergence(shares, reference))
