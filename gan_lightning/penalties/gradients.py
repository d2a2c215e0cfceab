"""Penalties on the gradient of D at reals, at fakes, between and around them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lightning.penalties.base import (
    DiscriminatorFn,
    gradient_norm,
    interpolate,
    squared_gradient_norm,
)
from gan_lightning.ranges import NonNegative, Positive, validated


class NoPenalty:
    """Regularises nothing."""

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        return real.new_zeros(real.shape[0])


@validated
@dataclass(frozen=True)
class R1:
    """weight/2 ||grad D||^2 at the reals; `weight` is the paper's gamma.

    Source: Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?,
    section "Simplified gradient penalties".
    """

    weight: NonNegative = 1.0

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        return 0.5 * self.weight * squared_gradient_norm(d, real, y)


class R2(R1):
    """weight/2 ||grad D||^2 at the fakes.

    Source: Mescheder et al. 2018, section "Simplified gradient penalties".
    """

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        return 0.5 * self.weight * squared_gradient_norm(d, fake, y)


class R1R2(R1):
    """R1 + R2, both with the same weight.

    Source: Huang et al. 2024, The GAN is dead; long live the GAN!, section on RpGAN + R1 + R2.
    """

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        both = squared_gradient_norm(d, real, y) + squared_gradient_norm(d, fake, y)
        return 0.5 * self.weight * both


@validated
@dataclass(frozen=True)
class WGANGP:
    """weight (||grad D|| - 1)^2 between reals and fakes; use it with the Wasserstein loss.

    Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, eq. 3.
    """

    weight: NonNegative = 10.0

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        norm = gradient_norm(d, interpolate(real, fake), y)
        return self.weight * (norm - 1.0).square()


class WGANLP(WGANGP):
    """weight max(0, ||grad D|| - 1)^2 between reals and fakes: smaller slopes are allowed.

    Source: Petzka et al. 2018, On the regularization of Wasserstein GANs (WGAN-LP).
    """

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        norm = gradient_norm(d, interpolate(real, fake), y)
        return self.weight * (norm - 1.0).relu().square()


@validated
@dataclass(frozen=True)
class WGANDiv:
    """weight ||grad D||^power between reals and fakes: Wasserstein without a Lipschitz bound.

    Source: Wu et al. 2018, Wasserstein Divergence for GANs, section 3 (the paper's k=2, p=6).
    """

    weight: NonNegative = 2.0
    power: Positive = 6.0

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        squared = squared_gradient_norm(d, interpolate(real, fake), y)
        return self.weight * squared.pow(0.5 * self.power)


@validated
@dataclass(frozen=True)
class DRAGAN:
    """weight (||grad D(x + noise)|| - target)^2 at noisy reals, the noise N(0, std^2) per pixel.

    The noise comes from the global random state of the images' device.

    Source: Kodali et al. 2017, On Convergence and Stability of GANs, algorithm 1.
    """

    weight: NonNegative = 10.0
    std: NonNegative = 0.3
    target: NonNegative = 1.0

    def __call__(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        norm = gradient_norm(d, real + self.std * torch.randn_like(real), y)
        return self.weight * (norm - self.target).square()
