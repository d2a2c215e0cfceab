"""The lecture's networks: fully connected layers on the flattened image."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.layers import LabelConcat, fully_connected, normalise_spectra
from gan_lightning.ranges import Codes, Count, Finite, Labels, Switch, Widths, validated


@validated
class MLPGenerator(Generator):
    """z[B, L] -> image, through hidden layers of the given sizes, ReLU, then tanh.

    Source: Goodfellow et al. 2014, Generative Adversarial Nets; conditional as in
    Mirza & Osindero 2014, with the label one-hot beside the latent.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (256, 512),
        codes: Codes = (0, 0),
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes, codes)
        self.condition = LabelConcat(num_classes)
        layers: list[nn.Module] = []
        size = latent_dim + num_classes
        for width in hidden:
            layers += [nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU()]
            size = width
        layers += [nn.Linear(size, math.prod(self.image_shape)), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(self.latent_codes(z), y)).unflatten(1, self.image_shape)


@validated
class MLPDiscriminator(Discriminator):
    """image[B, C, H, W] -> logits[B], through hidden layers of the given sizes, LeakyReLU.

    Args:
        spectral_norm: divide all weights by their largest singular value.
        label_concat: put the label one-hot beside the image (Mirza & Osindero 2014, section 3.1)
            instead of projecting (Miyato & Koyama 2018). Then no features belong to the image
            alone, so losses with heads of their own need projection.

    Source: Goodfellow et al. 2014.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        hidden: Widths = (512, 256),
        slope: Finite = 0.2,
        spectral_norm: Switch = False,
        label_concat: Switch = False,
    ) -> None:
        super().__init__(image_shape, num_classes)
        self.condition = LabelConcat(num_classes if label_concat else 0)
        size = math.prod(self.image_shape) + self.condition.num_classes
        layers, size = fully_connected(size, hidden, slope)
        self.layers = nn.Sequential(*layers)
        self.head = ProjectionHead(size, 0 if label_concat else num_classes)
        if spectral_norm:
            normalise_spectra(self)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))

    @property
    def num_features(self) -> int:
        if self.condition.num_classes:
            raise AttributeError("with label_concat features need the label")
        return super().num_features

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.head(self.layers(self.condition(x.flatten(1), y)), y)
