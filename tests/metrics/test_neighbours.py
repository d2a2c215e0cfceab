"""Precision, recall, density and coverage: by hand, and by the authors' formulas."""

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_lightning.metrics import neighbours
from gan_lightning.metrics.neighbours import nearest, neighbour_scores, radii, squared_distances


def line(*positions: float) -> Tensor:
    return torch.tensor(positions, dtype=torch.float64)[:, None]


# 7 reals in a row. Distance to the 3rd nearest other one: 3 2 2 2 2 2 3; to the 5th: 5 4 3 3 3 4 5.
REALS = line(0, 1, 2, 3, 4, 5, 6)
# 9 is on the rim of the ball around 6 with radius 3.
FAKES = line(9, 10, 0.5, 100, 200, 300)


def test_radii_by_hand() -> None:
    found = radii(REALS)
    assert found.manifold.sqrt().tolist() == [3, 2, 2, 2, 2, 2, 3]
    assert found.density.sqrt().tolist() == [5, 4, 3, 3, 3, 4, 5]


def test_scores_by_hand() -> None:
    found = neighbour_scores(REALS, FAKES)
    assert found["precision"].tolist() == [1, 0, 1, 0, 0, 0]
    assert found["density"].tolist() == pytest.approx([1 / 5, 1 / 5, 4 / 5, 0, 0, 0])
    assert found["coverage"].tolist() == [1, 1, 1, 1, 0, 0, 1]  # 5 has 9 on its rim
    assert found["recall"].tolist() == [1] * 7  # the fakes' balls are wide


def test_recall_is_precision_with_the_roles_swapped() -> None:
    assert neighbour_scores(FAKES, REALS)["recall"].tolist() == [1, 0, 1, 0, 0, 0]


def authors_formulas(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Naeem et al.'s prdc package, with Kynkaanniemi et al.'s <= in precision and recall."""

    def pairwise(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))

    def kth(x: np.ndarray, k: int) -> np.ndarray:
        return np.sort(pairwise(x, x), axis=1)[:, k]

    distance = pairwise(real, fake)
    return {
        "precision": (distance <= kth(real, 3)[:, None]).any(axis=0).mean(),
        "recall": (distance <= kth(fake, 3)[None]).any(axis=1).mean(),
        "density": (distance < kth(real, 5)[:, None]).sum(axis=0).mean() / 5,
        "coverage": (distance.min(axis=1) < kth(real, 5)).mean(),
    }


@pytest.mark.parametrize("rows", [7, 64, 1000])
def test_authors_formulas_whatever_the_block(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", rows)
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(150, 3)), random.normal(0.7, 0.8, size=(120, 3))
    found = neighbour_scores(torch.from_numpy(real), torch.from_numpy(fake))
    means = {name: each.mean().item() for name, each in found.items()}
    assert means == pytest.approx(authors_formulas(real, fake), abs=1e-12)
    assert 0.1 < means["recall"] < 0.9


def test_equal_points_are_at_distance_zero_far_from_the_origin() -> None:
    points = torch.rand(50, 128) + 3
    found = squared_distances(points, points)
    assert (found.diagonal() == 0).all()
    assert (found + torch.eye(50) > 0).all()


def test_nearest_in_ascending_order() -> None:
    squared, index = nearest(line(2.2), REALS, 3)
    assert index.tolist() == [[2, 3, 1]]
    assert squared.sqrt()[0].tolist() == pytest.approx([0.2, 0.8, 1.2])


def test_too_few_points() -> None:
    with pytest.raises(ValueError, match="too few"):
        radii(line(1, 2, 3))
