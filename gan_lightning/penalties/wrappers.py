"""Penalties made of penalties: lazy, scheduled, summed."""

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lightning.penalties.base import DiscriminatorFn, Penalty
from gan_lightning.ranges import Count, NonNegative, validated
from gan_lightning.schedules import Follower, Schedule


@validated
class Lazy(Follower, nn.Module):
    """Computes a penalty only on every `every`-th update of D, `every` times as strong.

    The count of updates is part of its state, so checkpoints hold it.

    Source: Karras et al. 2020, StyleGAN2, section 3.1 (lazy regularization).

    Args:
        penalty: with its own weight.
        every: updates of D per penalty.
        weight: a factor beside that of the penalty.
    """

    def __init__(self, penalty: Penalty, every: Count = 16, weight: NonNegative = 1.0) -> None:
        super().__init__()
        self.penalty = penalty
        self.every = every
        self.weight = weight
        self.updates = 0

    def follow(self, images_seen: int) -> None:
        super().follow(images_seen)
        self.updates += 1

    def get_extra_state(self) -> dict[str, int]:
        return {"count": self.updates}

    def set_extra_state(self, state: dict[str, int]) -> None:
        self.updates = state["count"]

    def forward(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return `every` times the weighted penalty, or zeros[B] between."""
        if self.every > 1 and self.updates % self.every != 1:
            return real.new_zeros(len(real))
        return self.weight * self.every * self.penalty(d, real, fake, y)


class Scheduled(Follower, nn.Module):
    """Multiplies a penalty by a factor that follows a schedule of images_seen.

    Source: Huang et al. 2024, R3GAN, appendix (burn-in of gamma).
    """

    def __init__(self, penalty: Penalty, schedule: Schedule) -> None:
        super().__init__()
        self.penalty = penalty
        self.schedule = schedule

    def forward(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        factor = self.schedule(self.images_seen)
        return factor * self.penalty(d, real, fake, y)


class Sum(nn.Module):
    """Several penalties at once; each brings its own weight."""

    def __init__(self, penalties: Sequence[Penalty]) -> None:
        super().__init__()
        self.penalties = list(penalties)
        # For their state: torch sees modules in a ModuleList, not in a list.
        self.stateful = nn.ModuleList(p for p in self.penalties if isinstance(p, nn.Module))

    def forward(self, d: DiscriminatorFn, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        parts = (penalty(d, real, fake, y) for penalty in self.penalties)
        return sum(parts, start=real.new_zeros(len(real)))
