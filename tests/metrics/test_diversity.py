"""Entropy, Vendi score and modes on cases with known answers."""

import math

import pytest
import torch
from torch import Tensor

from gan_lightning.data.stacked import mode_index
from gan_lightning.metrics.diversity import (
    class_shares,
    entropy,
    kl_divergence,
    vendi_score,
)
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.modes import DigitModes

THOUSAND = torch.full((1000,), 1 / 1000, dtype=torch.float64)


def test_entropy() -> None:
    assert entropy(torch.full((10,), 0.1)) == pytest.approx(math.log(10))
    assert entropy(torch.tensor([1.0, 0, 0])) == 0


def test_vendi_counts_what_is_different() -> None:
    assert vendi_score(torch.rand(1, 16).repeat(50, 1)) == pytest.approx(1)
    assert vendi_score(torch.eye(12)) == pytest.approx(12)
    assert vendi_score(torch.eye(5).repeat(20, 1) * 7) == pytest.approx(5)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_vendi_is_the_definition(shape: tuple[int, int]) -> None:
    """exp entropy of the eigenvalues of K / n, K the cosine similarities (definition 3.1)."""
    points = torch.rand(shape, dtype=torch.float64)
    unit = points / points.norm(dim=1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(unit @ unit.T / len(points)).clamp(min=1e-300)
    expected = math.exp(-(eigenvalues * eigenvalues.log()).sum())
    assert vendi_score(points) == pytest.approx(expected)


def scores(network: FeatureNetwork, modes: Tensor, reference: Tensor) -> dict[str, float]:
    return DigitModes(network, reference).scores(modes[:, None].float())


def test_modes_of_stacked_digits(network: FeatureNetwork) -> None:
    digits = torch.tensor([[0, 0, 0], [0, 0, 1], [9, 9, 9], [1, 2, 3], [1, 2, 3]])
    modes = mode_index(digits)
    assert modes.tolist() == [0, 1, 999, 123, 123]
    found = scores(network, modes, THOUSAND)
    shares = torch.tensor([0.2, 0.2, 0.2, 0.4], dtype=torch.float64)
    assert found["modes"] == 4
    assert found["reverse_kl"] == pytest.approx((shares * (shares * 1000).log()).sum().item())


def test_all_modes_equally_often(network: FeatureNetwork) -> None:
    found = scores(network, torch.arange(1000).repeat(3), THOUSAND)
    assert found == {"modes": 1000, "reverse_kl": pytest.approx(0)}


def test_reverse_kl_to_given_shares(network: FeatureNetwork) -> None:
    reference = torch.tensor([0.5, 0.25, 0.25, 0.0], dtype=torch.float64)
    same, other = torch.tensor([0, 0, 1, 2]), torch.tensor([3])
    assert scores(network, same, reference)["reverse_kl"] == pytest.approx(0)
    assert scores(network, other, reference)["reverse_kl"] == math.inf


def test_class_shares_and_kl() -> None:
    shares = class_shares(torch.tensor([0, 0, 2, 2]), 4)
    assert shares.tolist() == [0.5, 0, 0.5, 0]
    assert kl_divergence(shares, torch.full((4,), 0.25)) == pytest.approx(math.log(2))
