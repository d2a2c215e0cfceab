"""Layers that several architectures share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def required(y: Tensor | None) -> Tensor:
    """Return the labels of a conditional network; without any, raise ValueError."""
    if y is None:
        raise ValueError("a conditional generator needs a label for every latent")
    return y


def fully_connected(
    size: int, hidden: Sequence[int], slope: float = 0.2
) -> tuple[list[nn.Module], int]:
    """Return linear layers with LeakyReLU behind each, and how wide the last is."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(size, width), nn.LeakyReLU(slope)]
        size = width
    return layers, size


class LabelConcat(nn.Module):
    """z[B, L], y[B] -> [B, L + num_classes]: the label one-hot beside z; only z without classes.

    Source: Mirza & Osindero 2014, Conditional Generative Adversarial Nets, section 3.2.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if not self.num_classes:
            return z
        return torch.cat([z, F.one_hot(required(y), self.num_classes).to(z.dtype)], dim=1)


class MinibatchStddev(nn.Module):
    """h[B, C, H, W] -> [B, C + 1, H, W]: the mean standard deviation over a group as a channel.

    It lets the discriminator see how varied a batch is, and so punish a collapsed generator.
    A batch that `group_size` does not divide is one group.

    Source: Karras et al. 2018, Progressive Growing of GANs, section 3.
    """

    def __init__(self, group_size: int = 8) -> None:
        super().__init__()
        self.group_size = group_size

    def forward(self, h: Tensor) -> Tensor:
        batch, _, height, width = h.shape
        group = self.group_size if batch % self.group_size == 0 else batch
        grouped = h.reshape(group, batch // group, *h.shape[1:])
        variance = grouped.var(dim=0, unbiased=False)
        statistic = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
        statistic = statistic.repeat(group)[:, None, None, None]
        return torch.cat([h, statistic.expand(-1, 1, height, width)], 1)


class ConditionalBatchNorm(nn.Module):
    """BatchNorm2d whose scale and shift depend on the label; plain without classes.

    The scales start at N(1, 0.02), so that labels differ from the first step on.

    Source: Miyato & Koyama 2018, cGANs with Projection Discriminator, appendix A;
    de Vries et al. 2017, Modulating early visual processing by language, section 3.
    """

    def __init__(self, features: int, num_classes: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=not num_classes)
        self.scale = nn.Embedding(num_classes, features) if num_classes else None
        self.shift = nn.Embedding(num_classes, features) if num_classes else None
        if self.scale is not None and self.shift is not None:
            nn.init.normal_(self.scale.weight, 1.0, 0.02)
            nn.init.zeros_(self.shift.weight)

    def forward(self, h: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.norm(h)
        if self.scale is None or self.shift is None:
            return h
        y = required(y)
        return h * self.scale(y)[:, :, None, None] + self.shift(y)[:, :, None, None]


class SelfAttention(nn.Module):
    """h[B, C, H, W] -> same: every place attends to all others; starts as the identity.

    Keys and values are pooled to half the side, as in the paper's reference code.

    Source: Zhang et al. 2019, Self-Attention GANs, eqs. 1 to 3.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        keys, values = max(1, features // 8), max(1, features // 2)
        self.query = nn.Conv2d(features, keys, 1, bias=False)
        self.key = nn.Conv2d(features, keys, 1, bias=False)
        self.value = nn.Conv2d(features, values, 1, bias=False)
        self.out = nn.Conv2d(values, features, 1, bias=False)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        query = self.query(h).flatten(2)
        key = F.max_pool2d(self.key(h), 2).flatten(2)
        value = F.max_pool2d(self.value(h), 2).flatten(2)
        # Not scaled_dot_product_attention: gradient penalties need its second derivative.
        attention = (query.transpose(1, 2) @ key).softmax(dim=2)
        seen = (value @ attention.transpose(1, 2)).unflatten(2, h.shape[2:])
        return h + self.strength * self.out(seen)


def normalise_spectra(module: nn.Module, embeddings: bool = True) -> None:
    """Divide every weight matrix by its largest singular value, embeddings included.

    The value is estimated by one power iteration per forward pass in training. A generator's
    embeddings are scales and shifts of BatchNorm, not matrices: leave them out.

    Source: Miyato et al. 2018, Spectral Normalization for GANs, algorithm 1.
    """
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear) or (
            embeddings and isinstance(layer, nn.Embedding)
        ):
            spectral_norm(layer)


def normal_init(module: nn.Module, std: float = 0.02) -> None:
    """Initialise convolutions and linear layers from N(0, std), biases with 0.

    Source: Radford et al. 2016, DCGAN, section 4 (std 0.02).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
