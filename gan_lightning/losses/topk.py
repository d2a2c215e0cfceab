"""A loss in which G learns only from its best fakes."""

from typing import Annotated

from torch import Tensor

from gan_lightning.losses.base import Loss
from gan_lightning.ranges import PositiveShare, validated
from gan_lightning.schedules import Follower, Schedule, along


@validated
class TopK(Follower, Loss):
    """G learns from the fakes with the largest logits; D is trained as without it.

    Source: Sinha et al. 2020, Top-k Training of GANs, section 3: all of the batch at first, then
    fewer, down to a half.

    Args:
        share: share of the batch that counts, a schedule of images_seen; at least one fake.

    Raises:
        ValueError: the loss has a head, which has to stand outside: ACGAN(TopK(...)).
    """

    def __init__(self, loss: Loss, share: Annotated[Schedule, along(PositiveShare)]) -> None:
        if loss.has_head:
            name = type(loss).__name__
            raise ValueError(f"TopK goes inside {name}: adversarial is the TopK, loss is another")
        self.loss = loss
        self.share = share
        self.relativistic = loss.relativistic
        self.logits_mean = loss.logits_mean

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.loss.discriminator(real_logits, fake_logits)

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Return the loss of the best fakes, each with its real if the loss compares."""
        count = max(1, round(self.share(self.images_seen) * len(fake_logits)))
        fake_logits, best = fake_logits.topk(count)
        return self.loss.generator(fake_logits, None if real_logits is None else real_logits[best])
