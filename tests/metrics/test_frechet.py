"""The Frechet distance against a float64 reference, and what it must not depend on."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from gan_lightning.metrics.frechet import ClassFrechetDistance, FrechetDistance, mean_of_known
from gan_lightning.metrics.kernel import inception_score, kernel_distance
from tests.metrics.conftest import Halves


def reference(x: np.ndarray, y: np.ndarray) -> float:
    """Heusel et al. 2017, eq. 6, by scipy's matrix square root."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    c1, c2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * root.real))


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_reference(offset: float) -> None:
    random = np.random.default_rng(0)
    mix = random.normal(size=(64, 64))
    x = (random.normal(size=(500, 64)) @ mix + offset).astype(np.float32)
    y = (random.normal(size=(400, 64)) @ mix * 1.1 + offset + 0.2).astype(np.float32)
    found = FrechetDistance(torch.from_numpy(x))(torch.from_numpy(y))
    assert found == pytest.approx(reference(x, y), rel=1e-6, abs=1e-3)


@pytest.mark.filterwarnings("ignore:Matrix is singular")  # features that are always 0
def test_reference_on_digits(halves: Halves) -> None:
    reals, fakes = halves.reals.embedded.features, halves.embedded.features
    found = halves.reals.frechet(fakes)
    assert found == pytest.approx(reference(reals.numpy(), fakes.numpy()), abs=1e-3)


def test_known_gaussians() -> None:
    """Equal covariances: the distance is that of the means."""
    points = torch.randn(1000, 5, dtype=torch.float64)
    assert FrechetDistance(points)(points + 2) == pytest.approx(20, abs=1e-6)
    assert FrechetDistance(points)(points) == pytest.approx(0, abs=1e-6)


def test_every_call_forgets_the_last(halves: Halves) -> None:
    fakes = halves.embedded.features
    first = halves.reals.frechet(fakes)
    halves.reals.frechet(fakes[:100])
    assert halves.reals.frechet(fakes) == first


def test_a_class_with_too_few_fakes_has_no_distance() -> None:
    reals, labels = torch.randn(40, 3), torch.arange(40) % 2
    found = ClassFrechetDistance(reals, labels, [0, 1])(torch.randn(9, 3), torch.zeros(9))
    assert found[0] > 0
    assert math.isnan(found[1])
    assert mean_of_known(found.values()) == found[0]
    assert math.isnan(mean_of_known([math.nan]))


def test_kernel_distance_is_that_of_the_formula() -> None:
    """One subset of everything: torchmetrics' estimate is the closed form."""
    x, y = torch.randn(60, 4, dtype=torch.float64), torch.randn(60, 4, dtype=torch.float64) + 1
    xx, yy, xy = ((a @ b.T / 4 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    pairs = 60 * 59
    expected = (xx.sum() - xx.trace() + yy.sum() - yy.trace()) / pairs - 2 * xy.mean()
    assert kernel_distance(x, y).value == pytest.approx(expected.item(), rel=1e-9)


def test_kernel_distance_leaves_the_global_random_state() -> None:
    before = torch.get_rng_state()
    kernel_distance(torch.randn(20, 4), torch.randn(20, 4))
    torch.set_rng_state(before)
    kernel_distance(torch.zeros(20, 4), torch.ones(20, 4))
    assert torch.equal(torch.get_rng_state(), before)


def test_inception_score_of_known_cases() -> None:
    sure = torch.eye(10).repeat(1000, 1) * 1000
    assert inception_score(sure).value == pytest.approx(10, rel=0.02)
    assert inception_score(torch.zeros(1000, 10)).value == pytest.approx(1)
