"""The interval of the median, the test against the best and its correction."""

import math

import numpy as np
import pytest

from gan_lightning.leaderboard.statistics import holm, median_interval, verdict, welch


@pytest.mark.parametrize(
    ("count", "low", "high", "confidence"),
    [(2, 0, 1, 0.5), (3, 0, 2, 0.75), (5, 0, 4, 0.9375), (6, 0, 5, 0.96875), (12, 2, 9, 0.9614)],
)
def test_interval_is_as_narrow_as_95_per_cent_allow(
    count: int, low: int, high: int, confidence: float
) -> None:
    values = [float(i) for i in range(count)][::-1]
    found = median_interval(values)
    assert found == pytest.approx((low, high, confidence), abs=1e-4)


def test_interval_holds_the_median_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    draws = random.exponential(size=(4000, 3))
    hits = [low <= math.log(2) <= high for low, high, _ in map(median_interval, draws.tolist())]
    assert np.mean(hits) == pytest.approx(0.75, abs=0.03)


def test_welch_finds_what_is_more_than_noise_and_no_more() -> None:
    random = np.random.default_rng(0)
    same = [welch(*random.lognormal(0, 0.3, (2, 3)).tolist()) for _ in range(500)]
    assert np.mean([p is not None and p < 0.05 for p in same]) < 0.07
    p = welch([0.5, 0.55, 0.6], [3.0, 3.4, 3.1])
    assert p is not None
    assert p < 0.001
    assert welch([30.0, 34.0, 31.0], [5.0, 5.5, 6.0]) == pytest.approx(p)  # whatever the scale


def test_nothing_is_said_without_two_seeds_or_without_spread() -> None:
    assert welch([1.0], [2.0, 3.0]) is None
    assert welch([1.0, 1.0], [1.0, 1.0]) is None
    assert welch([0.0, 1.0], [2.0, 3.0]) is None
    assert verdict(None, 1) == "one seed: nothing can be said"
    assert "nothing can be said" in verdict(None, 3)
    assert verdict(0.2, 3) == "may be noise (p = 0.2)"
    assert verdict(0.0001, 3) == "more than noise (p < 0.001)"


def test_holm() -> None:
    assert holm({1: 0.04, 2: 0.01, 3: 0.03}) == pytest.approx({2: 0.03, 3: 0.06, 1: 0.06})
    assert holm({}) == {}
