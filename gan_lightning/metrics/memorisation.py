"""Does the generator repeat training images?"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

from gan_lightning.metrics.intervals import Score, of_mean
from gan_lightning.metrics.neighbours import nearest

PAIRS = 20
NEAR = 0.01  # quantile of the held-out reals' distances


@dataclass(frozen=True)
class Memorisation:
    """Distances of fakes to their nearest training images, compared with those of held-out reals.

    `p_value` is of the hypothesis that fakes are no nearer to the training images than held-out
    reals (one-sided Mann-Whitney test); small: copies. `near` sees, unlike it and `closer`, a few
    copies among many new images.
    """

    p_value: float
    closer: float  # probability that a fake is nearer than a held-out real; 0.5 for new images
    near: Score  # share of fakes nearer than 99 % of the held-out reals; 0.01 for new images
    neighbours: Tensor  # int64[M], the training image nearest to each fake
    pairs: Tensor  # int64[20, 2], the (fake, training image) nearest to each other


def memorisation_test(fakes: Tensor, expected: Tensor, training: Tensor) -> Memorisation:
    """Compare features fakes[M, D] with held-out reals by distance to their nearest training[T, D].

    `expected[N]` are the squared distances of the held-out reals: `nearest(held_out, training)`.

    A generator of a few typical images looks like a copyist here: read it beside recall.
    Source: Meehan et al. 2020, A Non-Parametric Test to Detect Data-Copying in Generative Models,
    section 3.1 (the global statistic).
    """
    distances, indices = nearest(fakes, training)
    fake, real = distances[:, 0].numpy(), expected.numpy()
    statistic, p_value = mannwhitneyu(fake, real, alternative="less")
    rows = distances[:, 0].argsort()[:PAIRS]
    return Memorisation(
        p_value=float(p_value),
        closer=1 - float(statistic) / (len(fake) * len(real)),
        near=of_mean(torch.from_numpy(fake < np.quantile(real, NEAR)).double()),
        neighbours=indices[:, 0],
        pairs=torch.stack([rows, indices[rows, 0]], dim=1),
    )
