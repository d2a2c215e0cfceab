"""Penalties against closed forms on discriminators simple enough to differentiate by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lightning.penalties import R1, NoPenalty, squared_gradient_norm


class Linear(nn.Module):
    """D(x) = w.x, so grad D = w everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([[[1.0, 2.0], [0.0, -3.0]]]))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return (self.w * x).flatten(1).sum(1)


class Quadratic(nn.Module):
    """D(x) = a/2 ||x||^2, so grad D = a x: different for every sample."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return 0.5 * self.a * x.square().flatten(1).sum(1)


@pytest.fixture
def real() -> Tensor:
    return torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def fake() -> Tensor:
    return torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("weight", [1.0, 0.2])
def test_r1_on_a_linear_discriminator(weight: float, real: Tensor, fake: Tensor) -> None:
    """||w||^2 = 14 for every sample."""
    penalty = R1(weight)(Linear(), real, fake, None)
    torch.testing.assert_close(penalty, torch.full((5,), weight / 2 * 14.0))


@pytest.mark.parametrize("weight", [1.0, 0.2])
def test_r1_on_a_quadratic_discriminator(weight: float, real: Tensor, fake: Tensor) -> None:
    """a^2 ||x||^2 at each real; the fakes do not matter."""
    penalty = R1(weight)(Quadratic(), real, fake, None)
    torch.testing.assert_close(penalty, weight / 2 * 9.0 * real.square().sum(dim=(1, 2, 3)))


def test_gradient_reaches_the_discriminators_parameters(real: Tensor, fake: Tensor) -> None:
    """d/da of a^2 ||x||^2 / 2, summed: a sum ||x||^2; it needs the second derivative."""
    discriminator = Quadratic()
    R1(1.0)(discriminator, real, fake, None).sum().backward()
    torch.testing.assert_close(discriminator.a.grad, 3.0 * real.square().sum())
    assert real.grad is None


def test_r1_works_where_gradients_are_off(real: Tensor, fake: Tensor) -> None:
    with torch.no_grad():
        penalty = R1()(Linear(), real, fake, None)
    torch.testing.assert_close(penalty, torch.full((5,), 7.0))


def test_labels_reach_the_discriminator(real: Tensor) -> None:
    """With D = y * w.x the squared norm is y^2 ||w||^2."""
    linear, y = Linear(), torch.arange(5)
    norm = squared_gradient_norm(lambda x, y: y * linear(x), real, y)
    torch.testing.assert_close(norm, 14.0 * y.float() ** 2)


def test_no_penalty_is_zero_per_sample(real: Tensor, fake: Tensor) -> None:
    def never(*_: Any) -> Tensor:
        raise AssertionError("a pass through D costs time")

    assert NoPenalty()(never, real, fake, None).tolist() == [0.0] * 5
