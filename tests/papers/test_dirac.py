"""Dirac-GAN: what converges and what circles, with the project's own losses and penalties.

Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?, section 2 and figure
3: reals at 0, one fake at theta, D(x) = psi x; the equilibrium is (0, 0).
"""

import math

import pytest
import torch
from torch import Tensor

from benchmarks.toys import dirac_gan
from gan_lightning.losses import Loss, Minimax, NonSaturating, RelativisticPaired, Wasserstein
from gan_lightning.penalties import R1, R1R2, R2, WGANGP, NoPenalty, Penalty

STEPS, LR = 1000, 0.1


def run(loss: Loss, penalty: Penalty, steps: int = STEPS) -> tuple[Tensor, float]:
    """Return the distances from the equilibrium over time, and the turns around it."""
    torch.manual_seed(0)
    theta, psi = dirac_gan(loss, penalty, steps, LR)
    angle = torch.atan2(psi, theta)
    turned = torch.remainder(angle.diff() + math.pi, 2 * math.pi) - math.pi
    return torch.hypot(theta, psi), turned.sum().abs().item() / (2 * math.pi)


def test_minimax_circles() -> None:
    """Without a penalty the distance neither shrinks nor grows: lemma 2.3."""
    distance, turns = run(Minimax(), NoPenalty())
    assert turns > 5
    assert distance[-200:].min() > 0.9 * distance[0]
    assert distance[-200:].max() < 1.1 * distance[0]


def test_wasserstein_circles() -> None:
    distance, turns = run(Wasserstein(), NoPenalty())
    assert turns > 10
    assert distance[-200:].min() > 0.9 * distance[0]


@pytest.mark.parametrize("loss", [NonSaturating(), RelativisticPaired()])
def test_unregularised_hardly_arrives(loss: Loss) -> None:
    """It circles; the circles shrink like 1 / sqrt(time), not at a linear rate: figure 3."""
    distance, turns = run(loss, NoPenalty())
    assert turns > 5
    assert distance[-1] > 0.15 * distance[0]
    for now in (250, 499):
        assert distance[2 * now] / distance[now] == pytest.approx(0.5**0.5, abs=0.05)


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        (NonSaturating(), R1(1.0)),
        (NonSaturating(), R2(1.0)),
        (Minimax(), R1(1.0)),
        (RelativisticPaired(), R1R2(0.5)),
    ],
)
def test_zero_centred_penalties_converge(loss: Loss, penalty: Penalty) -> None:
    """Theorem 4.1, and lemma 3.3 for the rate."""
    distance, _ = run(loss, penalty)
    assert distance[-200:].max() < 1e-3
    assert distance[-1] < 0.1 * distance[-200]


def test_r1_converges_at_the_rate_of_theory() -> None:
    """The eigenvalues of the linearised field: -gamma/2 +- sqrt(gamma^2/4 - f'(0)^2), lemma 3.3."""
    gamma = 0.5
    distance, _ = run(NonSaturating(), R1(gamma), 601)
    measured = math.log(distance[600] / distance[100]) / (500 * LR)
    # f'(0) = 1/2: the root is 1/4 - 1/16 below zero, so that the real part alone is the rate.
    assert measured == pytest.approx(-gamma / 2, rel=0.1)


@pytest.mark.parametrize("loss", [Wasserstein(), NonSaturating()])
def test_wgan_gp_does_not_converge(loss: Loss) -> None:
    """Its penalty wants a slope of 1 where the equilibrium has 0: lemma 3.1's remark, figure 3."""
    distance, _ = run(loss, WGANGP(1.0))
    assert distance[-200:].min() > 0.5
