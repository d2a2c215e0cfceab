"""The classical losses: cross-entropy, least squares, hinge, Wasserstein."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from gan_lightning.losses.base import Loss, bce
from gan_lightning.ranges import Beta, Finite, validated


@validated
@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """D minimises J(real, 1 - smoothing) + J(fake, 0), J the cross-entropy: see `bce`.

    The base of the two classical GANs, which differ in what the generator minimises. One-sided
    label smoothing keeps D from being too sure: its best answer becomes (1 - smoothing) p_data /
    (p_data + p_model). Smoothing the fakes too would put p_model into that numerator.

    Source: Goodfellow et al. 2014, eq. 1; smoothing: Salimans et al. 2016, section 3.4.
    """

    smoothing: Beta = 0.0
    logits_mean = "probability"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return bce(real_logits, 1.0 - self.smoothing) + bce(fake_logits, 0.0)


class NonSaturating(BCEWithLogits):
    """The generator minimises -log D(G(z)), that is J(fake, 1).

    Source: Goodfellow et al. 2014, section 3 ("maximize log D(G(z))").
    """

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return bce(fake_logits, 1.0)


class Minimax(BCEWithLogits):
    """The generator minimises log(1 - D(G(z))), that is -J(fake, 0): it saturates when D is sure.

    Source: Goodfellow et al. 2014, eq. 1.
    """

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return -bce(fake_logits, 0.0)


@validated
@dataclass(frozen=True)
class LeastSquares(Loss):
    """D pulls fakes to a and reals to b; G pulls fakes to c, each with half the squared distance.

    Source: Mao et al. 2017, Least Squares GAN, eq. 2 (a=0, b=c=1: eq. 9).
    """

    a: Finite = 0.0
    b: Finite = 1.0
    c: Finite = 1.0
    logits_mean = "margin"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = (real_logits - self.b).square(), (fake_logits - self.a).square()
        return 0.5 * (real.mean() + fake.mean())

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return 0.5 * (fake_logits - self.c).square().mean()


class Wasserstein(Loss):
    """The critic's score difference; it needs a penalty or a constraint on D.

    Source: Arjovsky et al. 2017, Wasserstein GAN, eq. 3 and algorithm 1.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits.mean() - real_logits.mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return -fake_logits.mean()


class Hinge(Wasserstein):
    """D stops pushing once reals are above 1 and fakes below -1; G as in Wasserstein.

    Source: Lim & Ye 2017, Geometric GAN, eq. 7.
    """

    logits_mean = "margin"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.relu(1.0 - real_logits).mean() + F.relu(1.0 + fake_logits).mean()
