"""What each of the two networks minimises."""

import torch
from torch import Tensor

from gan_lightning.augment import Augment
from gan_lightning.losses import AuxiliaryLoss, Loss
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.optimization import TwoOptimizers
from gan_lightning.penalties import Penalty


class Objectives(TwoOptimizers):
    """D's and G's losses on a batch of reals, labels and latents.

    A subclass sets the attributes. Labels go to the networks that have classes.
    """

    generator: Generator
    discriminator: Discriminator
    loss: Loss
    penalty: Penalty
    augment: Augment

    def generate(self, z: Tensor, y: Tensor) -> Tensor:
        """Return fakes[B, C, H, W]."""
        return self.generator(z, y if self.generator.num_classes else None)

    def judge(self, image: Tensor, y: Tensor | None) -> Tensor:
        """Return D's logits[B] of images as it gets to see them: augmented."""
        y = y if self.discriminator.num_classes else None
        return self.discriminator(self.augment(image), y)

    def judge_twice(self, image: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return D's logits[B], and what the loss's own head makes of the same features.

        Without such a head it is the logits again.
        """
        if not isinstance(self.loss, AuxiliaryLoss):
            logits = self.judge(image, y)
            return logits, logits
        h = self.discriminator.features(self.augment(image))
        known = y if self.discriminator.num_classes else None
        return self.discriminator.head(h, known), self.loss.head(h)

    def discriminator_loss(self, real: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return D's loss plus the mean penalty."""
        with torch.no_grad():
            fake = self.generate(z, y)
        (real_logits, real_more), (fake_logits, fake_more) = (
            self.judge_twice(image, y) for image in (real, fake)
        )
        loss = self.loss.discriminator(real_logits, fake_logits)
        with torch.autocast(self.device.type, enabled=False):
            penalty = self.penalty(self.judge, real.float(), fake.float(), y).mean()
        self.augment.update(real_logits.detach())
        self.meters.add("loss/D", loss)
        self.meters.add("penalty", penalty)
        self.meters.add("D(real)", real_logits.sigmoid().mean())
        self.meters.add("D(fake)", fake_logits.sigmoid().mean())
        if isinstance(self.loss, AuxiliaryLoss):
            more = self.loss.discriminator_more(real_more, fake_more, y, z)
            self.meters.add("auxiliary/D", more)
            loss = loss + self.loss.weight * more
        return loss + penalty

    def generator_loss(self, real: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return G's loss; only a relativistic loss looks at the reals."""
        fake_logits, fake_more = self.judge_twice(self.generate(z, y), y)
        with torch.no_grad():
            real_logits = self.judge(real, y) if self.loss.relativistic else None
        loss = self.loss.generator(fake_logits, real_logits)
        self.meters.add("loss/G", loss)
        if isinstance(self.loss, AuxiliaryLoss):
            more = self.loss.generator_more(fake_more, y, z)
            self.meters.add("auxiliary/G", more)
            loss = loss + self.loss.weight * more
        return loss
