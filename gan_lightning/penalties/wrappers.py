"""Penalties made of penalties: lazy, scheduled, summed.

They count their own calls, which are the updates of D; the count travels in checkpoints.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_lightning.penalties.base import Judge, Penalty
from gan_lightning.schedules import Schedule


class Counting(nn.Module):
    """Counts something in a Python number that its state dict holds: no look at a device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def get_extra_state(self) -> dict[str, int]:
        """Return the count."""
        return {"count": self.count}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Restore it."""
        self.count = state["count"]


class Lazy(Counting):
    """Computes a penalty on every `every`-th update of D alone, `every` times as strong.

    Source: Karras et al. 2020, StyleGAN2, section 3.1 (lazy regularization).
    """

    def __init__(self, penalty: Penalty, every: int = 16) -> None:
        super().__init__()
        self.penalty = penalty
        self.every = every

    def forward(self, discriminator: Judge, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return `every` times the penalty, or zeros[B] between."""
        due = self.count % self.every == 0
        self.count += 1
        if not due:
            return real.new_zeros(len(real))
        return self.every * self.penalty(discriminator, real, fake, y)


class Scheduled(Counting):
    """Multiplies a penalty by a factor that follows a schedule of images_seen.

    It counts the real images that it is shown on all ranks, which are the run's images_seen.

    Source: Huang et al. 2024, R3GAN, appendix (burn-in of gamma).

    Args:
        penalty: what is scheduled.
        schedule: the factor.
    """

    def __init__(self, penalty: Penalty, schedule: Schedule) -> None:
        super().__init__()
        self.penalty = penalty
        self.schedule = schedule

    def forward(self, discriminator: Judge, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return the penalty times the factor [B]."""
        factor = self.schedule(self.count)
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.count += len(real) * (torch.distributed.get_world_size() if distributed else 1)
        return factor * self.penalty(discriminator, real, fake, y)


class Sum(nn.Module):
    """Several penalties at once; each brings its own weight."""

    def __init__(self, penalties: Sequence[Penalty]) -> None:
        super().__init__()
        self.penalties = list(penalties)
        # For their state: torch sees modules in a ModuleList, not in a list.
        self.stateful = nn.ModuleList(p for p in self.penalties if isinstance(p, nn.Module))

    def forward(self, discriminator: Judge, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return the sum [B]."""
        parts = (penalty(discriminator, real, fake, y) for penalty in self.penalties)
        return sum(parts, start=real.new_zeros(len(real)))
