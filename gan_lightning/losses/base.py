"""What a loss is."""

import torch
from torch import Tensor
from torch.nn import functional as F


class Loss:
    """What the training loop asks of a loss.

    `relativistic = True` in a subclass says that its generator loss looks at the reals too;
    otherwise `real_logits` is None there, and a pass through D is saved.
    """

    relativistic = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Return the scalar that the discriminator minimises; logits[B] each."""
        raise NotImplementedError

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Return the scalar that the generator minimises; logits[B] each."""
        raise NotImplementedError


def bce(logits: Tensor, target: float) -> Tensor:
    """Return the lecture's cost J = -1/m sum[y log h + (1-y) log(1-h)], h = sigmoid(logits)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def needed(real_logits: Tensor | None) -> Tensor:
    """Return the reals' logits that a relativistic generator loss was given.

    Raises:
        ValueError: it was given none.
    """
    if real_logits is None:
        raise ValueError("a relativistic loss compares fakes with reals: pass real_logits")
    return real_logits
