"""The f-GAN family: one variational bound, one divergence per class."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from gan_lightning.losses.base import Loss
from gan_lightning.ranges import Switch, validated


@validated
@dataclass(frozen=True)
class FGAN(Loss):
    """D maximises E_real[g(v)] - E_fake[f*(g(v))], a lower bound of the divergence D_f.

    v is the logit, g the activation that maps it into the domain of f*, the conjugate of f.
    G minimises the same bound if `saturating`, else it maximises E_fake[g(v)].

    Source: Nowozin et al. 2016, f-GAN, eqs. 4 and 6, section 3.2; g and f* from table 2.
    """

    saturating: Switch = False

    def activation(self, v: Tensor) -> Tensor:
        """Return g(v); v itself where the domain has all numbers."""
        return v

    def cost(self, v: Tensor) -> Tensor:
        """Return f*(g(v)), in one formula: g and f* in turn overflow where D is sure."""
        raise NotImplementedError

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.cost(fake_logits).mean() - self.activation(real_logits).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return -(self.cost if self.saturating else self.activation)(fake_logits).mean()


class KullbackLeibler(FGAN):
    """KL(data || model): f(u) = u log u, g(v) = v, f*(t) = exp(t - 1)."""

    def cost(self, v: Tensor) -> Tensor:
        return (v - 1.0).exp()


class ReverseKullbackLeibler(FGAN):
    """KL(model || data): f(u) = -log u, g(v) = -exp(-v), f*(t) = -1 - log(-t)."""

    def activation(self, v: Tensor) -> Tensor:
        return -(-v).exp()

    def cost(self, v: Tensor) -> Tensor:
        return v - 1.0


class JensenShannon(FGAN):
    """Twice the Jensen-Shannon divergence: f(u) = u log u - (u + 1) log((u + 1) / 2).

    g(v) = log 2 - log(1 + exp(-v)), f*(t) = -log(2 - exp(t)): the original GAN but for constants.
    """

    def activation(self, v: Tensor) -> Tensor:
        return math.log(2.0) - F.softplus(-v)

    def cost(self, v: Tensor) -> Tensor:
        return F.softplus(v) - math.log(2.0)


class PearsonChi2(FGAN):
    """Pearson chi^2: f(u) = (u - 1)^2, g(v) = v, f*(t) = t^2 / 4 + t."""

    def cost(self, v: Tensor) -> Tensor:
        return 0.25 * v.square() + v
