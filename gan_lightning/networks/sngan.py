"""The residual networks of SNGAN, and with self-attention those of SAGAN."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.dcgan import halvings
from gan_lightning.networks.layers import ConditionalBatchNorm, SelfAttention, normalise_spectra
from gan_lightning.ranges import Count, Labels, Switch, validated


def glorot_init(module: nn.Module) -> None:
    """Glorot's uniform initialisation, with gain sqrt(2) for 3x3 convolutions; biases 0.

    Source: Miyato et al. 2018, reference code of SNGAN.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            residual = isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
            nn.init.xavier_uniform_(layer.weight, 2.0**0.5 if residual else 1.0)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class UpBlock(nn.Module):
    """h[B, C, H, W] -> [B, C, 2H, 2W]: norm, ReLU, convolution, twice, beside a shortcut."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm(width, num_classes)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = ConditionalBatchNorm(width, num_classes)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(width, width, 1)

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        r = self.conv1(F.interpolate(F.relu(self.norm1(h, y)), scale_factor=2))
        r = self.conv2(F.relu(self.norm2(r, y)))
        # A 1x1 convolution and nearest-neighbour upsampling commute; this order is cheaper.
        return r + F.interpolate(self.shortcut(h), scale_factor=2)


@validated
class SNGANGenerator(Generator):
    """z[B, L] -> image through residual blocks of one width; labels by conditional BatchNorm.

    Source: Miyato et al. 2018, Spectral Normalization for GANs, table 4 (width 256 for CIFAR-10);
    Miyato & Koyama 2018 for labels; Zhang et al. 2019 for attention, at half resolution.

    Args:
        width: channels of every block.
        attention: self-attention at half resolution.
        spectral_norm: divide all weights by their largest singular value, as SAGAN does.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 64,
        attention: Switch = False,
        spectral_norm: Switch = False,
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        channels, size, _ = self.image_shape
        levels, start = halvings(size)
        self.start = (width, start, start)
        self.project = nn.Linear(latent_dim, width * start**2)
        self.blocks = nn.ModuleList(UpBlock(width, num_classes) for _ in range(levels))
        self.attention = SelfAttention(width) if attention else nn.Identity()
        self.norm = nn.BatchNorm2d(width)
        self.to_image = nn.Conv2d(width, channels, 3, padding=1)
        glorot_init(self)
        if spectral_norm:
            normalise_spectra(self, embeddings=False)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.project(z).unflatten(1, self.start)
        for index, block in enumerate(self.blocks):
            if index == len(self.blocks) - 1:
                h = self.attention(h)
            h = block(h, y)
        return torch.tanh(self.to_image(F.relu(self.norm(h))))


class DownBlock(nn.Module):
    """h[B, I, H, W] -> [B, O, H, W] or half the side: ReLU, convolution, twice, and a shortcut.

    `first` leaves out the first ReLU: on images it would lose the dark half.
    """

    def __init__(self, before: int, after: int, down: bool, first: bool = False) -> None:
        super().__init__()
        self.down = down
        self.first = first
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if down else nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        r = self.conv2(F.relu(self.conv1(h if self.first else F.relu(h))))
        if not self.down:
            return r + h
        # Averaging and a 1x1 convolution commute; this order is cheaper.
        return F.avg_pool2d(r, 2) + self.shortcut(F.avg_pool2d(h, 2))


@validated
class SNGANDiscriminator(Discriminator):
    """image -> logits[B] through residual blocks of one width, sum over places, projection.

    Halved down to a side of 7 or 8, then two blocks more.

    Source: Miyato et al. 2018, table 4 (width 128 for CIFAR-10); Miyato & Koyama 2018, eq. 3;
    arguments as for the generator.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 64,
        attention: Switch = False,
        spectral_norm: Switch = True,
    ) -> None:
        super().__init__(image_shape, num_classes)
        channels, size, _ = self.image_shape
        layers: list[nn.Module] = [DownBlock(channels, width, down=True, first=True)]
        layers += [SelfAttention(width)] if attention else []
        size //= 2
        while size > 8:
            layers.append(DownBlock(width, width, down=True))
            size //= 2
        layers += [DownBlock(width, width, down=False) for _ in range(2)]
        self.layers = nn.Sequential(*layers, nn.ReLU())
        self.head = ProjectionHead(width, num_classes)
        glorot_init(self)
        if spectral_norm:
            normalise_spectra(self)

    def features(self, x: Tensor) -> Tensor:
        return self.layers(x).sum(dim=(2, 3))
