"""Gradient regularisers of the discriminator.

A penalty is called as `penalty(discriminator, real[B, ...], fake[B, ...], y[B] | None)` and
returns a per-sample tensor [B], its weight included. The caller runs it in float32.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Judge = Callable[[Tensor, Tensor | None], Tensor]


def squared_gradient_norm(discriminator: Judge, x: Tensor, y: Tensor | None) -> Tensor:
    """Return ||grad_x D(x)||^2 per sample [B], differentiable in D's parameters."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(discriminator(x, y).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1)


class NoPenalty:
    """Regularises nothing."""

    def __call__(
        self, discriminator: Judge, real: Tensor, fake: Tensor, y: Tensor | None
    ) -> Tensor:
        """Return zeros[B]."""
        return real.new_zeros(real.shape[0])


@dataclass(frozen=True)
class R1:
    """weight/2 ||grad D||^2 at the reals; `weight` is the paper's gamma.

    Source: Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?, eq. 9.
    """

    weight: float = 1.0

    def __call__(
        self, discriminator: Judge, real: Tensor, fake: Tensor, y: Tensor | None
    ) -> Tensor:
        """Return the penalty per real image [B]."""
        return 0.5 * self.weight * squared_gradient_norm(discriminator, real, y)
