"""StyleGAN2's layers: equalised learning rates, modulated convolutions, noise from the latent."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def leaky(h: Tensor) -> Tensor:
    """LeakyReLU(0.2) times sqrt(2), which keeps a unit variance."""
    return F.leaky_relu(h, 0.2) * math.sqrt(2.0)


def normalise(z: Tensor) -> Tensor:
    """Scale every row to a mean square of 1.

    Source: Karras et al. 2018, Progressive Growing of GANs, section 4.2.
    """
    return z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class EqualizedLinear(nn.Module):
    """h[B, I] -> [B, O], weights N(0, 1), scaled by He's constant at run time.

    Adam then changes all layers at the same relative rate; `lr_scale` slows this one down.

    Source: Karras et al. 2018, section 4.1.
    """

    def __init__(self, before: int, after: int, bias: float = 0.0, lr_scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / lr_scale)
        self.bias = nn.Parameter(torch.full((after,), bias / lr_scale))
        self.lr_scale = lr_scale

    def forward(self, h: Tensor) -> Tensor:
        scale = self.lr_scale / math.sqrt(self.weight.shape[1])
        return F.linear(h, self.weight * scale, self.bias * self.lr_scale)


class EqualizedConv(nn.Module):
    """h[B, I, H, W] -> [B, O, H, W], weights as in `EqualizedLinear`."""

    def __init__(self, before: int, after: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        scale = 1.0 / math.sqrt(self.weight[0].numel())
        return F.conv2d(h, self.weight * scale, self.bias, padding=self.weight.shape[2] // 2)


class ModulatedConv(nn.Module):
    """h[B, I, H, W], w[B, S] -> [B, O, H, W]: the style scales inputs, outputs are normalised.

    For inputs of unit variance the outputs have unit variance whatever the style says. Scaling
    the features instead of one kernel per sample gives the same numbers with one convolution.

    Source: Karras et al. 2020, StyleGAN2, eqs. 1 and 3.
    """

    def __init__(
        self, before: int, after: int, kernel: int, style_dim: int, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel))
        self.style = EqualizedLinear(style_dim, before, bias=1.0)
        self.bias = nn.Parameter(torch.zeros(after))
        self.demodulate = demodulate

    def convolve(self, h: Tensor, style: Tensor) -> Tensor:
        """Return the convolution modulated by style[B, I], without the bias."""
        weight = self.weight / math.sqrt(self.weight[0].numel())
        h = F.conv2d(h * style[:, :, None, None], weight, padding=weight.shape[2] // 2)
        if not self.demodulate:
            return h
        variance = style.square() @ weight.square().sum(dim=(2, 3)).T
        return h * (variance + 1e-8).rsqrt()[:, :, None, None]

    def forward(self, h: Tensor, w: Tensor) -> Tensor:
        return self.convolve(h, self.style(w)) + self.bias[:, None, None]


class LatentNoise(nn.Module):
    """z[B, L] -> noise[B, 1, S, S] times a learned strength, which starts at 0.

    StyleGAN2 draws this noise anew at every call, so a seed does not determine an image. Here it is
    sqrt(2) sin(4 z.d) with a fixed random direction d per pixel: zero mean, unit variance,
    uncorrelated between pixels up to e^-16, and a function of z alone, in training too.

    Source: Karras et al. 2019, StyleGAN, section 3.2, for its purpose; Rahimi & Recht 2007, Random
    Features, for the sine.
    """

    directions: Tensor

    def __init__(self, latent_dim: int, size: int) -> None:
        super().__init__()
        self.size = size
        directions = F.normalize(torch.randn(latent_dim, size * size), dim=0)
        self.register_buffer("directions", directions)
        self.strength = nn.Parameter(torch.zeros(()))

    def noise(self, z: Tensor) -> Tensor:
        """Return the noise before its strength."""
        angles = 4.0 * (z @ self.directions)
        return math.sqrt(2.0) * angles.sin().unflatten(1, (1, self.size, self.size))

    def forward(self, z: Tensor) -> Tensor:
        return self.strength * self.noise(z)


class StyledConv(nn.Module):
    """Double the side if `up`, then modulated 3x3 convolution, noise, LeakyReLU."""

    def __init__(self, before: int, after: int, size: int, latent_dim: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.conv = ModulatedConv(before, after, 3, latent_dim)
        self.noise = LatentNoise(latent_dim, size)

    def forward(self, h: Tensor, w: Tensor, z: Tensor) -> Tensor:
        if self.up:
            h = F.interpolate(h, scale_factor=2, mode="bilinear")
        return leaky(self.conv(h, w) + self.noise(z))
