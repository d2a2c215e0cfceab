"""What a loss is."""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

# What D's logits mean under a loss: a probability by themselves, in (real, fake) pairs alone, a
# distance from a margin, or nothing but "higher is better".
Meaning = Literal["probability", "pairs", "margin", "score"]


class Loss:
    """What the training loop asks of a loss."""

    # Whether its generator loss looks at the reals too; otherwise `real_logits` is None there, and
    # a pass through D is saved.
    relativistic = False
    logits_mean: Meaning = "score"
    has_head = False  # of its own on D's features: see `AuxiliaryLoss`
    weight: float = 1.0  # of the head's part
    head: Any  # h[B, F] -> its outputs[B, ...]

    def attach(self, generator: Any, discriminator: Any) -> None:
        """Make what depends on the networks; called once, before there are optimizers."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Return the scalar that the discriminator minimises; logits[B] each."""
        raise NotImplementedError

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Return the scalar that the generator minimises; logits[B] each."""
        raise NotImplementedError

    def discriminator_more(self, real: Tensor, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return the head's part of D's loss, from its outputs for reals and for fakes.

        Both have the labels y; z are the latents of the fakes.
        """
        raise NotImplementedError

    def generator_more(self, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return the head's part of G's loss; arguments as above."""
        raise NotImplementedError


def bce(logits: Tensor, target: float) -> Tensor:
    """Return the lecture's cost J = -1/m sum[y log h + (1-y) log(1-h)], h = sigmoid(logits)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def needed(real_logits: Tensor | None) -> Tensor:
    """Return the logits of the reals; without any, raise ValueError."""
    if real_logits is None:
        raise ValueError("a relativistic loss compares fakes with reals: pass real_logits")
    return real_logits
