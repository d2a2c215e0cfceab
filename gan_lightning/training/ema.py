"""The averaged generator: what is sampled, measured and shipped."""

import copy
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from gan_lightning.networks.base import Generator
from gan_lightning.schedules import Constant, Schedule

STATISTICS = ("running_mean", "running_var")


class AveragedGenerator(AveragedModel):
    """Exponential moving average of a generator, with a half-life in images and a warm-up.

    After n images the half-life is min(half_life * schedule(n), ramp_up * n): the average follows
    closely at first and never holds on to the untrained start. `half_life=0` is a plain copy.
    BatchNorm's statistics are averaged as the weights are: a copy would be of the last few batches.
    Other buffers are copied. It needs no gradients, and is always in eval mode.

    Source: Karras et al. 2020, StyleGAN2-ADA, `ema_kimg` and `ema_rampup` of the reference loop;
    in images rather than steps, so that it does not change with the batch size.
    """

    def __init__(
        self,
        generator: Generator,
        half_life: float,
        ramp_up: float = 0.05,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(copy.deepcopy(generator))
        self.half_life = half_life
        self.ramp_up = ramp_up
        self.schedule = schedule or Constant(1.0)
        self._begun = False  # whether `n_averaged` is known to be above 0: to look waits for a GPU
        self.requires_grad_(False)
        self.eval()

    @property
    def generator(self) -> Generator:
        return cast(Generator, self.module)

    def decay(self, images_seen: int, images: int) -> float:
        """Return the weight of the old average when `images` more images were seen."""
        half_life = min(self.half_life * self.schedule(images_seen), self.ramp_up * images_seen)
        return 0.5 ** (images / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, generator: nn.Module, images_seen: int, images: int) -> None:
        """Move the average towards `generator` after a step of `images` images."""
        # The parent's `update_parameters` sorts all tensors by device and type, every time.
        self._begun = self._begun or bool(self.n_averaged)
        decay = self.decay(images_seen, images) if self._begun else 0.0
        averaged, current = _averaged(self.module), _averaged(generator)
        if averaged:  # a density has other buffers alone
            torch._foreach_lerp_(averaged, current, 1.0 - decay)
        for kept, new in zip(_copied(self.module), _copied(generator), strict=True):
            kept.copy_(new)
        self.n_averaged += 1
        self._begun = True

    def train(self, mode: bool = True) -> "AveragedGenerator":
        """Stay in eval mode: the average is never trained."""
        return super().train(False)


def _averaged(network: nn.Module) -> list[Tensor]:
    """Return the weights, and the statistics of BatchNorm."""
    named = network.named_buffers()
    return [*network.parameters(), *(b for name, b in named if name.endswith(STATISTICS))]


def _copied(network: nn.Module) -> list[Tensor]:
    return [b for name, b in network.named_buffers() if not name.endswith(STATISTICS)]
