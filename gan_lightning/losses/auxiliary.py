"""Adversarial losses that add a head on D's features, for classes or codes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_lightning.errors import UserError
from gan_lightning.losses.base import Loss
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.networks.codes import LatentCodes
from gan_lightning.ranges import Codes, NonNegative, validated


@validated
class AuxiliaryLoss(nn.Module, Loss):
    """An adversarial loss plus `weight` times the loss of a head on D's features h[B, F].

    A subclass defines the head and its loss; `uses_classes = True` says that it needs labels. The
    head is trained with D. Penalties and D(real) use the adversarial part only.
    """

    uses_classes = False
    has_head = True

    def __init__(self, adversarial: Loss, weight: NonNegative = 1.0) -> None:
        super().__init__()
        self.adversarial = adversarial
        self.weight = weight
        self.relativistic = adversarial.relativistic
        self.logits_mean = adversarial.logits_mean

    def attach(self, generator: Generator, discriminator: Discriminator) -> None:
        """Make the head for these networks; UserError: they have no labels or codes for it."""
        if self.uses_classes and not generator.num_classes:
            name = type(self).__name__
            raise UserError(f"loss: {name} is about labels: model.num_classes must not be 0")
        try:
            features = discriminator.num_features
        except AttributeError as error:
            raise UserError("the loss needs a discriminator with `features` and `head`") from error
        self.head = self.make_head(features, generator)

    def make_head(self, features: int, generator: Generator) -> nn.Module:
        """Return the head, h[B, features] -> its outputs[B, ...]."""
        raise NotImplementedError

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.adversarial.discriminator(real_logits, fake_logits)

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return self.adversarial.generator(fake_logits, real_logits)


class ACGAN(AuxiliaryLoss):
    """The head predicts the label, by cross-entropy: of reals and fakes for D, of fakes for G.

    Source: Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs,
    section 3 (L_S and L_C). There D itself sees no label: model.discriminator.num_classes=0.
    """

    uses_classes = True

    def make_head(self, features: int, generator: Generator) -> nn.Module:
        return nn.Linear(features, generator.num_classes)

    def discriminator_more(self, real: Tensor, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return F.cross_entropy(real, y) + F.cross_entropy(fake, y)

    def generator_more(self, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return F.cross_entropy(fake, y)


def crammer_singer(scores: Tensor, target: Tensor) -> Tensor:
    """Return E max(0, 1 - score of the target + largest other score), scores[B, K]."""
    own = F.one_hot(target, scores.shape[1]).bool()
    best_other = scores.masked_fill(own, -torch.inf).amax(dim=1)
    return F.relu(1.0 - scores[own] + best_other).mean()


class MultiHinge(AuxiliaryLoss):
    """The hinge over K labels and "fake": D names both, G wants its label named.

    Source: Kavalerov et al. 2021, A Multi-Class Hinge Loss for Conditional GANs: beside a
    projection discriminator with the hinge loss; the hinge over classes is Crammer & Singer's.
    """

    uses_classes = True

    def make_head(self, features: int, generator: Generator) -> nn.Module:
        return nn.Linear(features, generator.num_classes + 1)

    def discriminator_more(self, real: Tensor, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        last = torch.full_like(y, fake.shape[1] - 1)  # of the K + 1 scores that of "fake"
        return crammer_singer(real, y) + crammer_singer(fake, last)

    def generator_more(self, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return crammer_singer(fake, y)


@validated
class InfoGAN(AuxiliaryLoss):
    """The head reads the latent codes off the fakes: a bound of their mutual information.

    Cross-entropy for the category, a Gaussian of unit variance for continuous codes, both less
    their constants. D's features, the head and G are all trained by it.

    Source: Chen et al. 2016, InfoGAN, section 5 (L_I); its hidden layer of 128 units from the
    appendix, without BatchNorm.

    Args:
        weight: the paper's lambda.
        codes: how many categories and continuous codes the generator has.
    """

    def __init__(
        self, adversarial: Loss, weight: NonNegative = 1.0, codes: Codes = (10, 2)
    ) -> None:
        super().__init__(adversarial, weight)
        self.codes = LatentCodes(sum(codes), *codes)

    def make_head(self, features: int, generator: Generator) -> nn.Module:
        """Return features -> 128 -> [category logits, means of the continuous codes]."""
        wanted, found = self.codes.counts, generator.latent_codes.counts
        if found != wanted or not sum(found):
            raise UserError(
                f"loss.codes={wanted}, but {type(generator).__name__} has {found}: "
                "take a model with model.generator.codes, such as model=dcgan"
            )
        hidden, outputs = nn.Linear(features, 128), nn.Linear(128, sum(found))
        return nn.Sequential(hidden, nn.LeakyReLU(0.2), outputs)

    def cost(self, fake: Tensor, z: Tensor) -> Tensor:
        """Return -log q(codes | fake) per image, averaged, but for constants."""
        count = self.codes.categories
        errors = (fake[:, count:] - self.codes.values(z)).square()
        cost = 0.5 * errors.sum(dim=1).mean()
        if count:
            cost = cost + F.cross_entropy(fake[:, :count], self.codes.category(z))
        return cost

    def discriminator_more(self, real: Tensor, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return self.cost(fake, z)

    def generator_more(self, fake: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return self.cost(fake, z)
