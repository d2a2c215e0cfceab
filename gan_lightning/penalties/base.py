"""The interface of penalties, and the gradient that most of them use."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

DiscriminatorFn = Callable[[Tensor, Tensor | None], Tensor]  # d(x, y) -> logits[B]


class Penalty(Protocol):
    """Anything called as `penalty(d, real, fake, y)` that returns [B]."""

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return the penalty per sample [B], weight included."""


def squared_gradient_norm(d: DiscriminatorFn, x: Tensor, y: Tensor | None) -> Tensor:
    """Return ||grad_x D(x)||^2 per sample [B], differentiable in D's parameters."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(d(x, y).sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1)


def gradient_norm(d: DiscriminatorFn, x: Tensor, y: Tensor | None) -> Tensor:
    """Return ||grad_x D(x)|| per sample [B]; its own gradient is finite even where it is 0."""
    return (squared_gradient_norm(d, x, y) + 1e-12).sqrt()


def interpolate(real: Tensor, fake: Tensor) -> Tensor:
    """Return u * real + (1 - u) * fake with one u ~ U[0, 1] per sample, not per pixel.

    u comes from the global random state of the images' device.
    """
    u = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
    return torch.lerp(fake, real, u)
