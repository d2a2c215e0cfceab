"""Networks for the rows of tables: small and fully connected; categories are chosen, not mixed."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.layers import LabelConcat, fully_connected
from gan_lightning.ranges import Count, Labels, Positive, Widths, validated
from gan_lightning.tables.columns import HOT


@validated
class TableGenerator(Generator):
    """z[B, L], y -> points [B, D, 1, 1]: numbers through tanh, then one-hot categories.

    A category is the largest of its coordinates; the gradient is that of their softmax (straight
    through), so that D cannot tell fakes by values between two categories.

    Source: Bengio et al. 2013, Estimating or Propagating Gradients Through Stochastic Neurons,
    section 4 (straight through); Xu et al. 2019, CTGAN, section 4.4 (heads of a table).

    Args:
        categories: how many coordinates each category has; they are the last of the point.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (128, 128),
        categories: Widths = (),
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        size = math.prod(image_shape)
        if sum(categories) > size:
            raise ValueError(f"categories={list(categories)} are more than {size} coordinates")
        self.parts = [size - sum(categories), *categories]
        self.condition = LabelConcat(num_classes)
        layers, width = fully_connected(latent_dim + num_classes, hidden)
        self.layers = nn.Sequential(*layers, nn.Linear(width, size))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        numbers, *logits = self.layers(self.condition(z, y)).split(self.parts, dim=1)
        points = [numbers.tanh(), *map(straight_through, logits)]
        return torch.cat(points, dim=1).unflatten(1, self.image_shape)


def straight_through(logits: Tensor) -> Tensor:
    """Return HOT at the largest of logits[B, K] and -HOT elsewhere, with the softmax's gradient."""
    soft = logits.softmax(dim=1)
    chosen = torch.zeros_like(soft).scatter(1, logits.argmax(dim=1, keepdim=True), 1.0)
    return HOT * (2 * (chosen - soft.detach() + soft) - 1)


@validated
class TableDiscriminator(Discriminator):
    """points [B, D, 1, 1] (and y) -> logits[B]; y stands one-hot beside the point.

    Args:
        scale: factor on the points, which brings their deviations to about 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (128, 128),
        scale: Positive = 4.0,
    ) -> None:
        super().__init__(image_shape, num_classes)
        self.scale = scale
        self.condition = LabelConcat(num_classes)
        layers, size = fully_connected(math.prod(image_shape) + num_classes, hidden)
        self.layers = nn.Sequential(*layers)
        self.head = ProjectionHead(size)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(self.scale * x.flatten(1))

    @property
    def num_features(self) -> int:
        if self.num_classes:
            raise AttributeError("with the label beside the point features need the label")
        return super().num_features

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.head(self.layers(self.condition(self.scale * x.flatten(1), y)))
