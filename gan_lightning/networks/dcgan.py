"""DCGAN for 28, 32 and 64 pixels."""

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.layers import (
    LabelConcat,
    MinibatchStddev,
    normal_init,
    normalise_spectra,
)
from gan_lightning.ranges import Codes, Count, Labels, Switch, Whole, validated


def halvings(size: int) -> tuple[int, int]:
    """Return how often a side can be halved down to 4 (32, 64) or to odd (28), and what is left."""
    count = 0
    while size % 2 == 0 and size > 4:
        size, count = size // 2, count + 1
    return count, size


@validated
class DCGANGenerator(Generator):
    """z[B, L] -> image by fractionally strided convolutions, BatchNorm, ReLU, tanh at the end.

    For 28 pixels: 7x7 with 4 * width channels, 14x14 with 2 * width, 28x28 with width, then a 3x3
    convolution to the image. One more level for 32 pixels (from 4x4), two for 64.

    Source: Radford et al. 2016, Unsupervised Representation Learning with DCGANs, figure 1, plus
    the last convolution, so that the levels below can be narrow at the same quality. Conditional
    as in Mirza & Osindero 2014.

    Args:
        width: channels at full resolution; doubled at every level below.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 16,
        codes: Codes = (0, 0),
        clusters: Whole = 0,
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes, codes, clusters)
        channels, size, _ = self.image_shape
        levels, start = halvings(size)
        wide = width * 2**levels
        labels = self.clusters.count if self.clusters else num_classes
        self.condition = LabelConcat(labels)
        self.project = nn.Linear(latent_dim + labels, wide * start * start, bias=False)
        layers: list[nn.Module] = [nn.Unflatten(1, (wide, start, start)), *_norm_relu(wide)]
        for _ in range(levels):
            up = nn.ConvTranspose2d(wide, wide // 2, 4, stride=2, padding=1, bias=False)
            wide //= 2
            layers += [up, *_norm_relu(wide)]
        layers += [nn.Conv2d(wide, channels, 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        normal_init(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        y = self.clusters(z) if self.clusters else y
        return self.layers(self.project(self.condition(self.latent_codes(z), y)))


def strided(
    channels: int, size: int, width: int, batch_norm: bool
) -> tuple[list[nn.Module], int, int]:
    """Return convolutions that halve [channels, size, size] down to 4 or less; channels, size."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    size //= 2
    while size > 4:
        kernel = 4 if size % 2 == 0 else 3
        layers.append(nn.Conv2d(width, 2 * width, kernel, 2, 1, bias=not batch_norm))
        layers += [nn.BatchNorm2d(2 * width)] if batch_norm else []
        layers.append(nn.LeakyReLU(0.2))
        size, width = (size + 1) // 2, 2 * width
    return layers, width, size


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


@validated
class DCGANDiscriminator(Discriminator):
    """image -> logits[B] by strided convolutions and LeakyReLU(0.2), without normalisation.

    Radford et al. 2016 put BatchNorm here too; a gradient penalty asks for none, because
    BatchNorm makes D(x) depend on the whole batch (Gulrajani et al. 2017, section 4). Set
    `batch_norm=true` for the paper's network. Conditional by projection.

    Args:
        width: channels at half resolution; doubled at every level.
        batch_norm: BatchNorm after all convolutions but the first.
        minibatch_stddev: group size of the minibatch statistic before the head; 0 for none.
        spectral_norm: divide all weights by their largest singular value.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 16,
        batch_norm: Switch = False,
        minibatch_stddev: Whole = 0,
        spectral_norm: Switch = False,
    ) -> None:
        super().__init__(image_shape, num_classes)
        channels, size, _ = self.image_shape
        layers, width, size = strided(channels, size, width, batch_norm)
        if minibatch_stddev:
            layers.append(MinibatchStddev(minibatch_stddev))
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.head = ProjectionHead((width + bool(minibatch_stddev)) * size * size, num_classes)
        normal_init(self)
        if spectral_norm:
            normalise_spectra(self)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(x)
