"""How far a table's fakes are from its reals: cheap enough for every epoch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lightning.data import DataModule, TableDataModule
from gan_lightning.pixels import to_unit_range


@dataclass(frozen=True)
class TableScorer:
    """`ks`, `correlation` and their sum `gap`, of rows against the training rows.

    `ks` is the largest Kolmogorov-Smirnov distance of a coordinate, which of one of a category is
    the difference of its shares; `correlation` the largest difference of a correlation.
    """

    reals: Tensor  # [N, D]

    def read(self, points: Tensor) -> Tensor:
        """Return [N, D], on the CPU, of points [N, D, 1, 1]."""
        return to_unit_range(points).flatten(1).cpu()

    def scores(self, found: Tensor) -> dict[str, float]:
        """Return the scores of what was read of all points."""
        ks = max(map(kolmogorov_smirnov, self.reals.T, found.T))
        correlation = (correlations(self.reals) - correlations(found)).abs().max().item()
        return {"ks": ks, "correlation": correlation, "gap": ks + correlation}


def table_scorer(data: DataModule) -> TableScorer | None:
    """Return the scorer of a table; None for other data sets."""
    return TableScorer(data.images.images.flatten(1)) if isinstance(data, TableDataModule) else None


def kolmogorov_smirnov(a: Tensor, b: Tensor) -> float:
    """Return the largest distance of the distribution functions of a[N] and b[M]."""
    places = torch.cat([a, b])
    shares = [
        torch.searchsorted(one.sort()[0].contiguous(), places, right=True) / len(one)
        for one in (a, b)
    ]
    return (shares[0] - shares[1]).abs().max().item()


def correlations(points: Tensor) -> Tensor:
    """Return [D, D] of points [N, D]; 0 for what does not vary."""
    centred = points.double() - points.double().mean(0)
    normed = centred / centred.norm(dim=0).clamp_min(1e-12)
    return normed.T @ normed
