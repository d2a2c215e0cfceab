"""StyleGAN2 in its essentials: mapping network, modulated convolutions, noise, style mixing."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_lightning.errors import UserError
from gan_lightning.networks.base import Discriminator, Generator, ProjectionHead
from gan_lightning.networks.equalized import (
    EqualizedConv,
    EqualizedLinear,
    ModulatedConv,
    StyledConv,
    leaky,
    normalise,
)
from gan_lightning.networks.layers import MinibatchStddev, required
from gan_lightning.networks.r3gan import stage_widths
from gan_lightning.ranges import Count, Labels, Share, Whole, validated


class Mapping(nn.Module):
    """z[B, L] (and y) -> w[B, L]: fully connected layers at a hundredth of the learning rate.

    Source: Karras et al. 2019, StyleGAN, section 2; labels as in the reference code.
    """

    def __init__(self, latent_dim: int, num_classes: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, latent_dim) if num_classes else None
        sizes = [2 * latent_dim if num_classes else latent_dim, *[latent_dim] * layers]
        self.layers = nn.ModuleList(
            EqualizedLinear(before, after, lr_scale=0.01) for before, after in pairwise(sizes)
        )

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        w = z  # normalised
        if self.embedding is not None:
            w = torch.cat([z, normalise(self.embedding(required(y)))], dim=1)
        for layer in self.layers:
            w = leaky(layer(w))
        return w


@validated
class StyleGAN2Generator(Generator):
    """z[B, L] -> image: styles w steer every convolution; the image is a sum over resolutions.

    In training a share of the samples takes the styles of its later layers from a second latent,
    drawn from the global random state. The paper's last layer is linear; tanh keeps this
    project's range.

    Source: Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN, figure 2 and
    section 2; style mixing: Karras et al. 2019, section 3.1.

    Args:
        width: channels at full resolution, doubled at every level below, up to `max_width`.
        mapping_layers: of the mapping network (8 in the paper).
        style_mixing: share of mixed samples in training.
    """

    typical: Tensor | None

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 32,
        max_width: Count = 128,
        mapping_layers: Count = 4,
        style_mixing: Share = 0.9,
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        channels, size, _ = self.image_shape
        self.style_mixing = style_mixing
        self.strength = 1.0
        self.register_buffer("typical", None, persistent=False)  # mean styles, to truncate to
        self.mapping = Mapping(latent_dim, num_classes, mapping_layers)
        (before, *after), size = stage_widths(size, width, max_width)
        self.constant = nn.Parameter(torch.randn(before, size, size))
        self.convs = nn.ModuleList([StyledConv(before, before, size, latent_dim, False)])
        self.to_image = nn.ModuleList([ModulatedConv(before, channels, 1, latent_dim, False)])
        for wide in after:
            size *= 2
            self.convs.append(StyledConv(before, wide, size, latent_dim, True))
            self.convs.append(StyledConv(wide, wide, size, latent_dim, False))
            self.to_image.append(ModulatedConv(wide, channels, 1, latent_dim, False))
            before = wide

    @torch.no_grad()
    def truncate(self, strength: float, count: int = 4096) -> None:
        """Move styles towards their mean from now on: w' = mean + strength (w - mean).

        It applies in eval mode. The mean is per label, over fixed latents.

        Source: Karras et al. 2019, StyleGAN, appendix B (the truncation trick in W).
        """
        if not 0.0 <= strength <= 1.0:
            raise UserError(f"truncation={strength} must be from 0 to 1")
        fixed = torch.Generator().manual_seed(0)
        z = torch.randn(count, self.latent_dim, generator=fixed)
        z = normalise(z.to(self.constant))
        labels = [z.new_full((count,), label).long() for label in range(self.num_classes)]
        means = [self.mapping(z, y).mean(0) for y in labels] or [self.mapping(z).mean(0)]
        self.typical, self.strength = torch.stack(means), strength

    def styles(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Return w[B, layers, L] for normalised latents, mixed in training."""
        layers = len(self.convs)
        w = self.mapping(z, y)
        if self.typical is not None and not self.training:
            w = torch.lerp(self.typical[y] if y is not None else self.typical, w, self.strength)
        w = w[:, None].expand(-1, layers, -1)
        if not self.training or self.style_mixing == 0.0:
            return w
        other = self.mapping(normalise(torch.randn_like(z)), y)[:, None]
        crossover = torch.randint(1, layers, (len(z), 1), device=z.device)
        mixed = torch.rand(len(z), 1, device=z.device) < self.style_mixing
        late = torch.arange(layers, device=z.device) >= crossover
        return torch.where((mixed & late)[:, :, None], other, w)

    def style_weight(self) -> Tensor:
        """Return the weights [F, L] by which w becomes the styles of all convolutions."""
        layers = [layer for layer in self.convs if isinstance(layer, StyledConv)]
        return torch.cat([layer.conv.style.weight for layer in layers])

    def synthesise(self, w: Tensor, z: Tensor) -> Tensor:
        """Return images of styles w[B, layers, L], with the noise of normalised z[B, L]."""
        h = self.constant.expand(
            w.shape[0], -1, -1, -1
        )  # len(w) would be a constant to torch.export
        h = self.convs[0](h, w[:, 0], z)
        image = self.to_image[0](h, w[:, 0])
        for level, to_image in enumerate(list(self.to_image)[1:]):
            first = 2 * level + 1
            h = self.convs[first](h, w[:, first], z)
            h = self.convs[first + 1](h, w[:, first + 1], z)
            image = F.interpolate(image, scale_factor=2, mode="bilinear")
            image = image + to_image(h, w[:, first + 1])
        return torch.tanh(image)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        z = normalise(z)
        return self.synthesise(self.styles(z, y), z)


class HalvingBlock(nn.Module):
    """h[B, I, H, W] -> [B, O, H/2, W/2]: two convolutions beside a shortcut, over sqrt(2)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = EqualizedConv(before, before, 3)
        self.conv2 = EqualizedConv(before, after, 3)
        self.shortcut = EqualizedConv(before, after, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        r = F.avg_pool2d(leaky(self.conv2(leaky(self.conv1(h)))), 2)
        return (r + self.shortcut(F.avg_pool2d(h, 2))) / math.sqrt(2.0)


@validated
class StyleGAN2Discriminator(Discriminator):
    """image -> logits[B]: residual blocks, the minibatch statistic, one hidden layer, projection.

    Source: Karras et al. 2020, section 3.3 and figure 7; arguments as for the generator.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        width: Count = 32,
        max_width: Count = 128,
        minibatch_stddev: Whole = 4,
    ) -> None:
        super().__init__(image_shape, num_classes)
        channels, size, _ = self.image_shape
        widths, end = stage_widths(size, width, max_width)
        wide = widths[0]
        self.from_image = EqualizedConv(channels, width, 1)
        self.blocks = nn.Sequential(*(HalvingBlock(*pair) for pair in pairwise(widths[::-1])))
        statistic = bool(minibatch_stddev)
        self.statistic = MinibatchStddev(minibatch_stddev) if statistic else nn.Identity()
        self.conv = EqualizedConv(wide + statistic, wide, 3)
        self.hidden = EqualizedLinear(wide * end * end, wide)
        self.head = ProjectionHead(wide, num_classes)

    def features(self, x: Tensor) -> Tensor:
        h = self.statistic(self.blocks(leaky(self.from_image(x))))
        return leaky(self.hidden(leaky(self.conv(h)).flatten(1)))
