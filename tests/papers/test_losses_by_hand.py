"""Losses against numbers worked out by hand, and autograd against finite differences."""

import math

import pytest
import torch
from torch import Tensor

from gan_lightning import losses

LOG2 = math.log(2.0)
LOG3 = math.log(3.0)
# sigmoid(0) = 1/2, sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4
REAL, FAKE = (0.0, LOG3), (0.0, -LOG3)

# class, arguments, real logits, fake logits, D's loss, G's loss
CASES = [
    # D: -mean(log 1/2, log 3/4), twice; G: -mean(log 1/2, log 1/4)
    ("NonSaturating", {}, REAL, FAKE, 3 * LOG2 - LOG3, 1.5 * LOG2),
    # G: mean(log(1 - 1/2), log(1 - 1/4))
    ("Minimax", {}, REAL, FAKE, 3 * LOG2 - LOG3, (LOG3 - 3 * LOG2) / 2),
    # D: 1/2 (mean(1, 4) + mean(0.25, 4)); G: 1/2 mean(0.25, 9)
    ("LeastSquares", {}, (0.0, 3.0), (0.5, -2.0), 2.3125, 2.3125),
    # D: 1/2 (mean(0, 9) + mean(2.25, 1)); G: 1/2 mean(6.25, 0)
    ("LeastSquares", {"a": -1.0, "b": 0.0, "c": -2.0}, (0.0, 3.0), (0.5, -2.0), 3.0625, 1.5625),
    # D: mean(0.5, -2) - mean(0, 3); G: -mean(0.5, -2)
    ("Wasserstein", {}, (0.0, 3.0), (0.5, -2.0), -2.25, 0.75),
    # D: mean(1, 0) + mean(1.5, 0); G: -mean(0.5, -2)
    ("Hinge", {}, (0.0, 3.0), (0.5, -2.0), 1.25, 0.75),
]
CASE = pytest.mark.parametrize(("name", "arguments", "real", "fake", "d", "g"), CASES)


@CASE
def test_values_by_hand(
    name: str, arguments: dict, real: tuple, fake: tuple, d: float, g: float
) -> None:
    loss = getattr(losses, name)(**arguments)
    real, fake = torch.tensor(real), torch.tensor(fake)
    torch.testing.assert_close(loss.discriminator(real, fake), torch.tensor(d))
    torch.testing.assert_close(loss.generator(fake), torch.tensor(g))


@CASE
def test_gradients_by_finite_differences(
    name: str, arguments: dict, real: tuple, fake: tuple, d: float, g: float
) -> None:
    loss = getattr(losses, name)(**arguments)

    def leaf(values: tuple) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(loss.discriminator, (leaf(real), leaf(fake)))
    assert torch.autograd.gradcheck(loss.generator, (leaf(fake),))


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_generator_and_discriminator_pull_fakes_apart(name: str) -> None:
    """The game is adversarial: D pushes the logits of fakes down, G up."""
    loss, logits = getattr(losses, name)(), torch.zeros(4, requires_grad=True)
    (d_gradient,) = torch.autograd.grad(loss.discriminator(torch.zeros(4), logits), logits)
    (g_gradient,) = torch.autograd.grad(loss.generator(logits), logits)
    assert ((d_gradient >= 0) & (g_gradient < 0)).all()


@pytest.mark.parametrize("name", ["NonSaturating", "Minimax"])
def test_logits_may_be_huge(name: str) -> None:
    """log(sigmoid(x)) is -inf at -1000 in float32; the cost in logits is 1000."""
    loss, huge = getattr(losses, name)(), torch.tensor([1000.0])
    torch.testing.assert_close(loss.discriminator(-huge, huge), torch.tensor(2000.0))
    assert loss.generator(-huge).isfinite()
