"""Penalties on D's logits rather than on its gradient."""

import torch
from torch import Tensor, nn

from gan_lightning.penalties.base import DiscriminatorFn
from gan_lightning.ranges import NonNegative, Share, validated


@validated
class LeCam(nn.Module):
    """weight (|D(real) - E D(fake)|^2 + |D(fake) - E D(real)|^2) with moving averages E.

    For little data: it keeps D near an anchor. The two averages are buffers, so checkpoints hold
    them.

    Source: Tseng et al. 2021, Regularizing GANs under Limited Data.

    Args:
        weight: the paper's lambda.
        decay: of the averages, per update of D.
    """

    anchors: Tensor
    started: Tensor

    def __init__(self, weight: NonNegative = 0.3, decay: Share = 0.99) -> None:
        super().__init__()
        self.weight = weight
        self.decay = decay
        self.register_buffer("anchors", torch.zeros(2))  # of reals, of fakes
        self.register_buffer("started", torch.tensor(False))

    @torch.no_grad()
    def move(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        """Move the averages towards these logits; the first logits set them."""
        now = torch.stack([real_logits.mean(), fake_logits.mean()]).to(self.anchors.dtype)
        moved = torch.lerp(now, self.anchors, self.decay)
        self.anchors.copy_(torch.where(self.started, moved, now))
        self.started.fill_(True)

    def forward(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        real_logits, fake_logits = d(real, y), d(fake, y)
        self.move(real_logits, fake_logits)
        anchor_real, anchor_fake = self.anchors.clone()
        to_fake, to_real = real_logits - anchor_fake, fake_logits - anchor_real
        return self.weight * (to_fake.square() + to_real.square())


@validated
class Consistency(nn.Module):
    """weight |D(x) - D(T(x))|^2 for reals and fakes: D should not depend on the augmentation T.

    Source: Zhao et al. 2021, Improved Consistency Regularization for GANs, section 2.1 (bCR).

    Args:
        augment: T, images[B, C, H, W] -> same shape.
        weight: at the reals.
        fake_weight: at the fakes.
    """

    def __init__(
        self, augment: nn.Module, weight: NonNegative = 10.0, fake_weight: NonNegative = 10.0
    ) -> None:
        super().__init__()
        self.augment = augment
        self.weight = weight
        self.fake_weight = fake_weight

    def forward(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        def change(x: Tensor) -> Tensor:
            return (d(x, y) - d(self.augment(x), y)).square()

        return self.weight * change(real) + self.fake_weight * change(fake)
