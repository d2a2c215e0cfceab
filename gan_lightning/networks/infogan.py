"""The pair that "Are GANs Created Equal?" compares all losses with, first used in InfoGAN."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.layers import LabelConcat, normal_init, normalise_spectra
from gan_lightning.ranges import Codes, Count, Labels, Switch, validated


@validated
class InfoGANGenerator(Generator):
    """z[B, L] -> image: two fully connected layers, two fractionally strided convolutions.

    Source: Chen et al. 2016, InfoGAN, table 1; Lucic et al. 2018, Are GANs Created Equal?,
    appendix (networks). Conditional as in Mirza & Osindero 2014.

    Args:
        latent_dim: 64 in Lucic et al.
        image_shape: sides are a multiple of 4.
        width: channels at half resolution (64); all else is a multiple of it.
        codes: 10 and 2 in Chen et al.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 64,
        codes: Codes = (0, 0),
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes, codes)
        channels, size, _ = self.image_shape
        start, hidden = size // 4, 16 * width
        self.condition = LabelConcat(num_classes)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + num_classes, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * width * start * start, bias=False),
            nn.BatchNorm1d(2 * width * start * start),
            nn.ReLU(),
            nn.Unflatten(1, (2 * width, start, start)),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        )
        normal_init(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        # The paper's sigmoid for images in [0, 1], taken to [-1, 1]: 2 sigmoid(x) - 1.
        return torch.tanh(0.5 * self.layers(self.condition(self.latent_codes(z), y)))


@validated
class InfoGANDiscriminator(Discriminator):
    """image -> logits[B]: two strided convolutions, one hidden layer, LeakyReLU(0.2).

    Source: as the generator; the papers' BatchNorm is `batch_norm=true`, off by default because
    gradient penalties ask for none. Conditional by projection.

    Args:
        batch_norm: after the second convolution and the hidden layer.
        spectral_norm: divide all weights by their largest singular value.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 64,
        batch_norm: Switch = False,
        spectral_norm: Switch = False,
    ) -> None:
        super().__init__(image_shape, num_classes)
        channels, size, _ = self.image_shape
        hidden = 16 * width
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.BatchNorm2d(2 * width) if batch_norm else nn.Identity(),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * (size // 4) ** 2, hidden),
            nn.BatchNorm1d(hidden) if batch_norm else nn.Identity(),
            nn.LeakyReLU(0.2),
        )
        self.head = ProjectionHead(hidden, num_classes)
        normal_init(self)
        if spectral_norm:
            normalise_spectra(self)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(x)
