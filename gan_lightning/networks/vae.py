"""The two networks of a variational autoencoder, for images and for rows of a table."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lightning.networks.base import Generator
from gan_lightning.networks.dcgan import DCGANGenerator, strided
from gan_lightning.networks.layers import LabelConcat, fully_connected
from gan_lightning.networks.toy import ToyGenerator
from gan_lightning.ranges import Count, Labels, Switch, Widths, validated

HIDDEN = (256, 256)  # of the networks for rows


@validated
class VAEDecoder(Generator):
    """z[B, L] -> image: the mean of p(x | z, y), by DCGAN's generator or, for rows, a small MLP.

    `deviation` is the standard deviation of a pixel around that mean, for a Gaussian likelihood.
    Images are drawn without it, as is usual. Rows, [D, 1, 1], need it: their noise is D more
    coordinates of z, after those of the code.

    Source: Kingma & Welling 2014, Auto-Encoding Variational Bayes, appendix C.

    Args:
        latent_dim: L, of the code.
        width: channels at full resolution; doubled at every level below.
        hidden: of the network for rows.
        noise: whether samples have the likelihood's noise; None: those of rows have.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 16,
        hidden: Widths = HIDDEN,
        noise: Switch | None = None,
    ) -> None:
        rows = image_shape[1] == 1
        noise = rows if noise is None else noise
        super().__init__(latent_dim + noise * math.prod(image_shape), image_shape, num_classes)
        self.code_dim = latent_dim
        shared = (latent_dim, image_shape, num_classes)
        self.network = ToyGenerator(*shared, hidden) if rows else DCGANGenerator(*shared, width)
        channels = self.image_shape[0] if rows else 1  # each column has a noise of its own
        self.log_deviation = nn.Parameter(torch.full((channels, 1, 1), -1.0))

    @property
    def deviation(self) -> Tensor:
        return self.log_deviation.exp()

    def mean(self, code: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the mean of p(x | code, y), in [-1, 1], of code[B, L]."""
        return self.network(code, y)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        mean = self.mean(z[:, : self.code_dim], y)
        if self.code_dim == self.latent_dim:
            return mean
        noise = z[:, self.code_dim :].unflatten(1, self.image_shape)
        return mean + self.deviation * noise


@validated
class VAEEncoder(nn.Module):
    """image, y -> (mean[B, L], log variance[B, L]) of q(z | x, y), a Gaussian.

    Strided convolutions as in DCGAN's discriminator, with BatchNorm; an MLP for rows.

    Source: Kingma & Welling 2014, section 3 and appendix C; conditional as in Sohn et al. 2015.

    Args:
        latent_dim: L.
        width: channels at half resolution; doubled at every level.
        hidden: of the network for rows.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 16,
        hidden: Widths = HIDDEN,
    ) -> None:
        super().__init__()
        channels, size, _ = image_shape
        self.latent_dim, self.num_classes = latent_dim, num_classes
        if size == 1:
            layers, features = fully_connected(channels, hidden)
            layers = [nn.Flatten(), *layers]
        else:
            layers, width, size = strided(channels, size, width, batch_norm=True)
            layers, features = [*layers, nn.Flatten()], width * size * size
        self.layers = nn.Sequential(*layers)
        self.condition = LabelConcat(num_classes)
        self.head = nn.Linear(features + num_classes, 2 * latent_dim)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.head(self.condition(self.layers(x), y)).chunk(2, dim=1)
        return mean, log_variance
