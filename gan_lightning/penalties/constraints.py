"""What is done to D's weights after each of its updates, instead of a penalty."""

from dataclasses import dataclass

import torch
from torch import nn

from gan_lightning.ranges import Positive, validated


class NoConstraint:
    """Leaves the weights as they are."""

    def __call__(self, discriminator: nn.Module) -> None:
        """Do nothing."""


@validated
@dataclass(frozen=True)
class ClipWeights:
    """Clamps every parameter of D to [-limit, limit], so that D is Lipschitz.

    Source: Arjovsky et al. 2017, Wasserstein GAN, algorithm 1 (limit 0.01).
    """

    limit: Positive = 0.01

    @torch.no_grad()
    def __call__(self, discriminator: nn.Module) -> None:
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)
