"""Directions in which a generator changes most, read off its weights."""

import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.modes.base import SheetMode, Subject
from gan_lightning.modes.sheet import Sheet
from gan_lightning.networks import Density, StyleGAN2Generator
from gan_lightning.networks.base import Generator
from gan_lightning.networks.equalized import normalise
from gan_lightning.ranges import Few, Positive, validated
from gan_lightning.sampling.draw import images_of


def strongest(weight: Tensor, count: int) -> Tensor:
    """Return the unit vectors [count, L] that weight[F, L] stretches most, the first the most.

    Source: Shen & Zhou 2021, Closed-Form Factorization of Latent Semantics in GANs, eq. 6: the
    eigenvectors of A^T A.
    """
    found = torch.linalg.eigh(weight.double().T @ weight.double())
    return found.eigenvectors.flip(1).T[:count].to(weight.dtype)


def latent_weight(generator: Generator) -> tuple[Tensor, int]:
    """Return (weights [F, N], start): those that the latent's coordinates from `start` on meet.

    Of StyleGAN2 they are those of its styles. Codes and clusters, which stand first in a latent and
    do not go into a layer as they are, and the noise at the end of a VAE's are left out.

    Raises:
        UserError: there are none.
    """
    if isinstance(generator, StyleGAN2Generator):
        return generator.style_weight(), 0
    start = generator.latent_codes.size or int(generator.clusters is not None)
    end = getattr(generator, "code_dim", generator.latent_dim)
    for layer in generator.modules():
        if isinstance(layer, nn.Linear) and layer.in_features >= end:
            return layer.weight[:, start:end], start
    raise UserError(f"mode=sefa: {type(generator).__name__} has no weights that its latent meets")


@validated
class Sefa(SheetMode):
    """A row a direction, from -reach to reach, through the seed's first sample.

    Args:
        directions: how many, those of the largest change first.
        steps: columns.
        reach: the distance in z, whose coordinates have a standard deviation of 1, or in the
            styles w of StyleGAN2.
    """

    def __init__(self, directions: Few = 8, steps: Few = 9, reach: Positive = 4.0) -> None:
        self.directions, self.steps, self.reach = directions, steps, reach

    def sheet(self, subject: Subject) -> Sheet:
        generator = subject.generator
        if isinstance(generator, Density):
            raise UserError(f"mode=sefa: {type(generator).__name__} has no layers")
        weight, start_at = latent_weight(generator)
        most = weight.shape[1]
        if self.directions > most:
            raise UserError(f"mode.directions={self.directions}: there are {most}")
        found = strongest(weight.detach().cpu(), self.directions)
        found = nn.functional.pad(found, (start_at, generator.latent_dim - start_at - most))
        far = torch.linspace(-self.reach, self.reach, self.steps)
        moves = found[:, None] * far[:, None]  # [directions, steps, L]
        shape = moves.shape[:2]
        start, one = subject.latents(0, 1).expand_as(moves.flatten(0, 1)), subject.y(1)
        y = None if one is None else one.expand(len(start))
        both = torch.stack([start, moves.flatten(0, 1)], dim=1)
        images = images_of(generator, both, y, lambda zm, y: moved(generator, zm, y))
        about = f"{len(found)} directions of the weights from {-self.reach:g} to {self.reach:g}"
        latents = None if isinstance(generator, StyleGAN2Generator) else both.sum(1)
        return Sheet(
            images.unflatten(0, shape),
            about,
            None if latents is None else latents.unflatten(0, shape),
            None if y is None else y.unflatten(0, shape),
        )


def moved(generator: Generator, pair: Tensor, y: Tensor | None) -> Tensor:
    """Return images of latents moved; pair[B, 2, L] has both. StyleGAN2's styles are moved."""
    z, move = pair.unbind(1)
    if not isinstance(generator, StyleGAN2Generator):
        return generator(z + move, y)
    z = normalise(z)
    return generator.synthesise(generator.styles(z, y) + move[:, None], z)
