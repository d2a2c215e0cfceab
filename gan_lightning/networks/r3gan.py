"""A residual pair without any normalisation, after R3GAN."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.dcgan import halvings
from gan_lightning.networks.layers import LabelConcat
from gan_lightning.ranges import Count, Labels, Whole, validated

SLOPE = 0.2
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))  # of LeakyReLU: He et al. 2015, eq. 15


def scaled_init(layer: nn.Conv2d | nn.Linear, gain: float) -> nn.Module:
    """Initialise from N(0, gain^2 / fan_in), biases with 0; return the layer."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def stage_widths(size: int, width: int, max_width: int) -> tuple[list[int], int]:
    """Return the channels from the lowest resolution to the full one, `size`; and the lowest side.

    They are `width` at full resolution, doubled at every level below, and at most `max_width`.
    """
    levels, start = halvings(size)
    return [min(width * 2**level, max_width) for level in range(levels, -1, -1)], start


class ResidualBlock(nn.Module):
    """h[B, C, H, W] -> same: 1x1 wider, grouped 3x3, 1x1 back, added to h.

    Fix-up initialisation takes the place of normalisation: the last convolution starts at 0,
    the others at depth^(-1/4) of He's gain, where depth counts the network's blocks.

    Source: Huang et al. 2024, R3GAN, section 3; Zhang et al. 2019, Fixup, section 3.
    """

    def __init__(self, width: int, depth: int, expansion: int, group_size: int) -> None:
        super().__init__()
        wide, gain = expansion * width, GAIN * depth**-0.25
        groups = wide // math.gcd(wide, group_size)
        conv = nn.Conv2d(wide, wide, 3, padding=1, groups=groups)
        self.layers = nn.Sequential(
            scaled_init(nn.Conv2d(width, wide, 1), gain),
            nn.LeakyReLU(SLOPE),
            scaled_init(conv, gain),
            nn.LeakyReLU(SLOPE),
            scaled_init(nn.Conv2d(wide, width, 1, bias=False), 0.0),
        )

    def forward(self, h: Tensor) -> Tensor:
        return h + self.layers(h)


class Resample(nn.Module):
    """Double (bilinear) or halve (mean) the side; change the channels by 1x1 if they differ."""

    def __init__(self, before: int, after: int, up: bool) -> None:
        super().__init__()
        self.up = up
        same = before == after
        conv = nn.Conv2d(before, after, 1, bias=False)
        self.change = nn.Identity() if same else scaled_init(conv, 1.0)

    def forward(self, h: Tensor) -> Tensor:
        """Change the channels at the smaller size: both orders give the same result."""
        if self.up:
            return F.interpolate(self.change(h), scale_factor=2, mode="bilinear")
        return self.change(F.avg_pool2d(h, 2))


def stages(
    widths: Sequence[int], up: bool, blocks: int, expansion: int, group_size: int
) -> nn.Sequential:
    """Residual blocks at every width, resampling between."""
    depth = blocks * len(widths)
    layers: list[nn.Module] = []
    for index, width in enumerate(widths):
        layers += [Resample(widths[index - 1], width, up)] if index else []
        layers += [ResidualBlock(width, depth, expansion, group_size) for _ in range(blocks)]
    return nn.Sequential(*layers)


@validated
class R3GANGenerator(Generator):
    """z[B, L] -> image: a learned basis modulated by z, residual stages, 1x1 to the image.

    The paper's last layer is linear; tanh keeps this project's range. Labels one-hot beside z.

    Source: Huang et al. 2024, The GAN is dead; long live the GAN!, section 3.

    Args:
        width: channels at full resolution, doubled at every level below, up to `max_width`.
        blocks: residual blocks per resolution.
        expansion: how much wider a block is inside.
        group_size: channels per group of the 3x3 convolutions.
    """

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 32,
        max_width: Count = 128,
        blocks: Whole = 1,
        expansion: Count = 2,
        group_size: Count = 16,
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        channels, size, _ = self.image_shape
        widths, start = stage_widths(size, width, max_width)
        self.condition = LabelConcat(num_classes)
        self.basis = nn.Parameter(torch.randn(widths[0], start, start))
        self.project = scaled_init(nn.Linear(latent_dim + num_classes, widths[0], bias=False), 1.0)
        self.stages = stages(widths, True, blocks, expansion, group_size)
        self.to_image = scaled_init(nn.Conv2d(width, channels, 1), 1.0)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.basis * self.project(self.condition(z, y))[:, :, None, None]
        return torch.tanh(self.to_image(self.stages(h)))


@validated
class R3GANDiscriminator(Discriminator):
    """image -> logits[B]: the generator mirrored, with a depthwise convolution at the end.

    Use it with the relativistic paired loss and R1 + R2. Conditional by projection.

    Source and arguments: see `R3GANGenerator`.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 32,
        max_width: Count = 128,
        blocks: Whole = 1,
        expansion: Count = 2,
        group_size: Count = 16,
    ) -> None:
        super().__init__(image_shape, num_classes)
        channels, size, _ = self.image_shape
        widths, end = stage_widths(size, width, max_width)
        wide = widths[0]
        self.from_image = scaled_init(nn.Conv2d(channels, width, 1), 1.0)
        self.stages = stages(widths[::-1], False, blocks, expansion, group_size)
        self.basis = scaled_init(nn.Conv2d(wide, wide, end, groups=wide, bias=False), 1.0)
        self.head = ProjectionHead(wide, num_classes)

    def features(self, x: Tensor) -> Tensor:
        return self.basis(self.stages(self.from_image(x))).flatten(1)
