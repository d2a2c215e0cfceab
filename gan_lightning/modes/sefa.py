"""Directions in which a generator changes most, read off its weights."""

import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.modes.base import SheetMode, Subject
from gan_lightning.modes.sheet import Sheet
from gan_lightning.networks import Density, StyleGAN2Generator
from gan_lightning.networks.base import Generator
from gan_lightning.networks.equalized import normalise
from gan_lightning.ranges import Count, Positive, validated
from gan_lightning.sampling.draw import images_of


def strongest(weight: Tensor, count: int) -> Tensor:
    """Return the unit vectors [count, L] that weight[F, L] stretches most, the first the most.

    Source: Shen & Zhou 2021, Closed-Form Factorization of Latent Semantics in GANs, eq. 6: the
    eigenvectors of A^T A.
    """
    found = torch.linalg.eigh(weight.double().T @ weight.double())
    return found.eigenvectors.flip(1).T[:count].to(weight.dtype)


def latent_weight(generator: Generator) -> Tensor:
    """Return the weights [F, L] that the latent meets first; of StyleGAN2 those of its styles.

    Raises:
        UserError: there are none.
    """
    length = generator.latent_dim
    if isinstance(generator, StyleGAN2Generator):
        return generator.style_weight()
    for layer in generator.modules():
        if isinstance(layer, nn.Linear) and layer.in_features >= length:
            return layer.weight[:, :length]
    raise UserError(f"mode=sefa: {type(generator).__name__} has no weights that its latent meets")


@validated
class Sefa(SheetMode):
    """A row a direction, from -reach to reach, through the seed's first sample.

    Args:
        directions: how many, those of the largest change first.
        steps: columns.
        reach: in standard deviations of z, or of the styles w of StyleGAN2.
    """

    def __init__(self, directions: Count = 8, steps: Count = 9, reach: Positive = 4.0) -> None:
        self.directions, self.steps, self.reach = directions, steps, reach

    def sheet(self, subject: Subject) -> Sheet:
        generator = subject.generator
        if isinstance(generator, Density):
            raise UserError(f"mode=sefa: {type(generator).__name__} has no layers")
        found = strongest(latent_weight(generator).detach().cpu(), self.directions)
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
