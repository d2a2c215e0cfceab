"""Scores from nearest neighbours: precision, recall, density, coverage.

Squared distances throughout, a block of rows at a time: 10,000 x 10,000 takes seconds and 80 MB.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 1000  # a block of 1,000 x 10,000 float64 distances is 80 MB
IN_CACHE = 2**21  # distances that stay in a CPU's cache: the search is three times as fast
MANIFOLD_K = 3  # of precision and recall (Kynkaanniemi et al. 2019, section 3.1)
DENSITY_K = 5  # of density and coverage (Naeem et al. 2020, section 4.1)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared Euclidean distances [N, M] of x[N, D] and y[M, D], in their precision.

    By |x|^2 + |y|^2 - 2xy, a matrix product. What is within its rounding error becomes 0, so that
    equal points are at distance 0.
    """
    scale = x.square().sum(1)[:, None] + y.square().sum(1)[None]
    return _equal_to_zero(torch.addmm(scale, x, y.T, alpha=-2), scale)


def _equal_to_zero(squared: Tensor, scale: Tensor) -> Tensor:
    """Set squared distances to 0 where they are rounding of a |x|^2 + |y|^2 of `scale`."""
    return squared.masked_fill_(squared < 10 * torch.finfo(scale.dtype).eps * scale, 0)


def distance_blocks(x: Tensor, y: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield (rows of x, their squared distances to all of y)."""
    # Distances do not change with the origin; near the points, less is lost to rounding.
    centre = y.mean(0)
    x, y = x - centre, y - centre
    for first in range(0, len(x), ROWS):
        rows = slice(first, min(first + ROWS, len(x)))
        yield rows, squared_distances(x[rows], y)


def nearest(x: Tensor, y: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return the squared distances [N, k], ascending, and indices of the k nearest of y."""
    centre = y.mean(0)
    x, y = x - centre, y - centre
    of_x, of_y = x.square().sum(1), y.square().sum(1)
    found = []
    for rows in x.split(max(1, IN_CACHE // len(y))):
        without_x = torch.addmm(of_y, rows, y.T, alpha=-2)  # the order is the same without |x|^2
        found.append(without_x.topk(k, largest=False) if k > 1 else without_x.min(1, keepdim=True))
    indices = torch.cat([f.indices for f in found])
    squared = torch.cat([f.values for f in found]) + of_x[:, None]
    return _equal_to_zero(squared, of_x[:, None] + of_y[indices]), indices


@dataclass(frozen=True)
class Radii:
    """Squared distances of each point of a set to its k-th nearest other point of the set."""

    manifold: Tensor  # [N], k = MANIFOLD_K
    density: Tensor  # [N], k = DENSITY_K


def radii(points: Tensor) -> Radii:
    """Return the radii of points[N, D]; a ValueError says that they are too few."""
    if len(points) <= DENSITY_K:
        raise ValueError(f"{len(points)} images are too few: at least {DENSITY_K + 1} are needed")
    ordered, _ = nearest(points, points, DENSITY_K + 1)  # column 0 is the point itself
    return Radii(ordered[:, MANIFOLD_K], ordered[:, DENSITY_K])


def neighbour_scores(
    reals: Tensor, fakes: Tensor, of_reals: Radii | None = None
) -> dict[str, Tensor]:
    """Return what each image contributes, float64; the means are the four scores.

    Of features reals[N, D] and fakes[M, D]; the scores depend on both counts, so use N = M. The
    radii of the reals are computed unless they are given.

    - precision[M]: the fake is within the radius of some real (Kynkaanniemi et al. 2019, eq. 1-2)
    - recall[N]: the real is within the radius of some fake (the same, roles swapped)
    - density[M]: how many reals' radii hold the fake, over k (Naeem et al. 2020, eq. 5)
    - coverage[N]: some fake is within the real's radius (Naeem et al. 2020, eq. 6)

    A point on the rim counts for the first two and does not for the others, as in the code of
    the respective authors.
    """
    of_reals, of_fakes = of_reals or radii(reals), radii(fakes)
    precision = torch.zeros(len(fakes), dtype=torch.bool)
    density = torch.zeros(len(fakes), dtype=torch.float64)
    recall = torch.zeros(len(reals), dtype=torch.bool)
    closest = torch.full((len(reals),), torch.inf, dtype=reals.dtype)
    for rows, squared in distance_blocks(fakes, reals):
        precision[rows] = (squared <= of_reals.manifold).any(dim=1)
        density[rows] = (squared < of_reals.density).sum(dim=1).double() / DENSITY_K
        recall |= (squared <= of_fakes.manifold[rows, None]).any(dim=0)
        closest = torch.minimum(closest, squared.amin(dim=0))
    return {
        "precision": precision.double(),
        "recall": recall.double(),
        "density": density,
        "coverage": (closest < of_reals.density).double(),
    }
