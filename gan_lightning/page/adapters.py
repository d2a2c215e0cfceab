"""Where the judge and the inversion come from; thin, until the project has its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator


class Judge(Protocol):
    """A discriminator that can be asked."""

    def p_fake(self, images: Tensor, y: Tensor | None) -> Tensor:
        """Return P(fake) [B] of images [B, C, H, W] in [-1, 1]."""


@dataclass(frozen=True)
class Inversion:
    """The nearest fakes: images [N, C, H, W], z[N, L], y[N] or None, errors[N]."""

    images: Tensor
    z: Tensor
    y: Tensor | None
    errors: Tensor


def read_judge(path: Path) -> Judge:
    """Return the judge beside a generator's file; UserError if there is none."""
    if find_spec("gan_lightning.export.discriminator_file"):
        own: Any = import_module("gan_lightning.export.discriminator_file")
        return own.read_judge(path)
    from gan_lightning.lecture.trained import trained_module

    run = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    module: Any = trained_module(run)
    if not hasattr(module, "discriminator") or module.loss.logits_mean != "probability":
        raise UserError(f"{run}: it has no discriminator whose answers are probabilities")

    class FromCheckpoint:
        @torch.no_grad()
        def p_fake(self, images: Tensor, y: Tensor | None) -> Tensor:
            known = bool(module.discriminator.num_classes)
            zeros = torch.zeros(len(images), dtype=torch.int64)
            labels = module.labels(images, zeros if y is None else y) if known else None
            return 1 - module.discriminator(images, labels).sigmoid()

    return FromCheckpoint()


def invert(
    generator: Generator,
    targets: Tensor,
    labels: Sequence[int],
    seed: int = 0,
    restarts: int = 4,
    steps: int = 200,
) -> Inversion:
    """Return the fakes that come nearest to targets [N, C, H, W] in mean squared error."""
    if find_spec("gan_lightning.sampling.invert"):
        own: Callable[..., Any] = import_module("gan_lightning.sampling.invert").invert
        return own(generator, targets, labels, seed=seed, restarts=restarts, steps=steps)
    restarts = max(restarts, len(labels))  # each label once
    random = torch.Generator().manual_seed(seed)
    count, y = len(targets), None
    wanted = targets.repeat_interleave(restarts, 0)
    start = torch.randn(count * restarts, generator.latent_dim, generator=random)
    if generator.num_classes:
        y = torch.tensor([labels[i % len(labels)] for i in range(count * restarts)])
    z = start.requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        error = (generator(z, y) - wanted).square().flatten(1).mean(1)
        (error.sum() + 1e-3 * z.square().mean(1).sum()).backward()
        optimizer.step()
    with torch.no_grad():
        images = generator(z, y)
        errors = (images - wanted).square().flatten(1).mean(1).sqrt() / 2
    best = errors.view(count, restarts).argmin(1) + torch.arange(count) * restarts
    chosen = None if y is None else y[best]
    return Inversion(images[best], z.detach()[best], chosen, errors[best])
