"""How far a score would move with other samples of the same generator."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Z = 1.96  # standard errors on either side: 95 %
RESAMPLES = 20


@dataclass(frozen=True)
class Score:
    """A value and half the width of its 95 % interval (NaN where there is none)."""

    value: float
    margin: float = math.nan


def of_mean(contributions: Tensor) -> Score:
    """Return the mean of contributions[N], with the interval of the central limit theorem."""
    deviation = contributions.std().item() if len(contributions) > 1 else math.nan
    return Score(contributions.mean().item(), Z * deviation / math.sqrt(len(contributions)))


def bootstrap(score: Callable[[Tensor], float], count: int, intervals: bool = True) -> Score:
    """Return score(all rows) with the bootstrap's standard error (Efron 1979).

    The interval is centred on the score and not on the resamples' mean: a resample has fewer
    different images, which moves FID up and a Vendi score down, whatever the generator. `score`
    takes some of the rows 0 to `count` - 1; `intervals=False` leaves the interval out.
    """
    value = score(torch.arange(count))
    if not intervals:
        return Score(value)
    generator = torch.Generator().manual_seed(0)
    resamples = [
        score(torch.randint(count, (count,), generator=generator)) for _ in range(RESAMPLES)
    ]
    return Score(value, Z * torch.tensor(resamples, dtype=torch.float64).std().item())
