"""KID and the inception-style score, computed by torchmetrics in float64."""

import math
import warnings

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from gan_lightning.metrics.frechet import Given
from gan_lightning.metrics.intervals import Score, Z

SUBSETS, SUBSET_SIZE = 50, 1000
SPLITS = 10


def kernel_distance(reals: Tensor, fakes: Tensor) -> Score:
    """Return the squared maximum mean discrepancy of features reals[N, D] and fakes[M, D].

    The kernel is (x.y / D + 1)^3. The unbiased mean over 50 random subsets of 1,000 (all, if there
    are fewer); may be below 0.
    Source: Binkowski et al. 2018, Demystifying MMD GANs, eq. 4 and section 4.
    """
    size = min(SUBSET_SIZE, len(reals), len(fakes))
    with warnings.catch_warnings(action="ignore"):  # it keeps all features: so do we
        metric = KernelInceptionDistance(Given(reals.shape[1]), subsets=SUBSETS, subset_size=size)
    metric.update(reals.double(), real=True)
    metric.update(fakes.double(), real=False)
    mean, deviation = _over_parts(metric)
    # The subsets' scatter, brought from their size to that of all samples.
    return Score(mean, Z * deviation * math.sqrt(size / len(fakes)))


def inception_score(logits: Tensor) -> Score:
    """Return exp(E KL(p(y|x) | p(y))), 1 to K, of the classifier's logits[N, K].

    The mean over 10 parts. Source: Salimans et al. 2016, Improved Techniques for Training GANs,
    section 4, with the data set's own classifier instead of the Inception network.
    """
    with warnings.catch_warnings(action="ignore"):  # it keeps all logits: so do we
        metric = InceptionScore(Given(logits.shape[1]), splits=SPLITS)
    metric.update(logits.double())
    mean, deviation = _over_parts(metric)
    return Score(mean, Z * deviation / math.sqrt(SPLITS))


def _over_parts(metric: Metric) -> tuple[float, float]:
    """Return the mean and the deviation over random parts of the samples, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        mean, deviation = metric.compute()
    return mean.item(), deviation.item()
