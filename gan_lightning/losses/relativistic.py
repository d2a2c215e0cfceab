"""Losses that compare reals with fakes instead of judging each alone."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.losses.base import Loss, bce, needed


class RelativisticPaired(Loss):
    """D tells the real of a (real, fake) pair from the fake; G wants the fake to win.

    Needs as many reals as fakes. With R1 + R2 it is R3GAN's objective.

    Source: Jolicoeur-Martineau 2019, The relativistic discriminator, section 4 (RSGAN);
    Huang et al. 2024, The GAN is dead; long live the GAN! (RpGAN).
    """

    relativistic = True
    logits_mean = "pairs"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.softplus(fake_logits - real_logits).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return F.softplus(needed(real_logits) - fake_logits).mean()


class RelativisticAverage(Loss):
    """D judges each image against the average image of the other kind; G the reverse.

    Source: Jolicoeur-Martineau 2019, The relativistic discriminator, section 4 (RaSGAN).
    """

    relativistic = True
    logits_mean = "pairs"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = real_logits - fake_logits.mean(), fake_logits - real_logits.mean()
        return bce(real, 1.0) + bce(fake, 0.0)

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return self.discriminator(fake_logits, needed(real_logits))


class Softmax(Loss):
    """A softmax over the whole batch: D shares its probability among reals, G among all.

    Source: Lin 2017, Softmax GAN, section 3; the logit is the paper's -mu(x).
    """

    relativistic = True
    logits_mean = "pairs"

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Return the cross-entropy to 1/|reals| on every real: ln Z - E real."""
        return torch.cat([real_logits, fake_logits]).logsumexp(0) - real_logits.mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Return the cross-entropy to 1/|batch| on every image: ln Z - E all."""
        batch = torch.cat([needed(real_logits), fake_logits])
        return batch.logsumexp(0) - batch.mean()
