"""Networks for points in the plane: small, fully connected, without normalisation."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.layers import LabelConcat, fully_connected
from gan_lightning.ranges import Count, Labels, Positive, Switch, Widths, validated


@validated
class ToyGenerator(Generator):
    """z[B, L] -> points [B, D, 1, 1] in [-1, 1], through hidden layers, then tanh.

    Args:
        point: every latent makes the same point, as in the Dirac GAN (Mescheder et al. 2018).
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (128, 128),
        point: Switch = False,
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        self.point = point
        self.condition = LabelConcat(num_classes)
        layers, size = fully_connected(latent_dim + num_classes, hidden)
        self.layers = nn.Sequential(*layers, nn.Linear(size, math.prod(image_shape)), nn.Tanh())

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        z = torch.zeros_like(z) if self.point else z
        return self.layers(self.condition(z, y)).unflatten(1, self.image_shape)


@validated
class ToyDiscriminator(Discriminator):
    """points [B, D, 1, 1] -> logits[B], through hidden layers.

    Args:
        scale: factor on the points, which brings their distances to about 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (128, 128),
        scale: Positive = 1.0,
    ) -> None:
        super().__init__(image_shape, num_classes)
        self.scale = scale
        layers, size = fully_connected(math.prod(image_shape), hidden)
        self.layers = nn.Sequential(*layers)
        self.head = ProjectionHead(size, num_classes)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(self.scale * x.flatten(1))
