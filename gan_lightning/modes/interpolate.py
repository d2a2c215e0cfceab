"""From one sample to the next, or from one class to the next."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.modes.base import SheetMode, Subject
from gan_lightning.modes.sheet import Sheet
from gan_lightning.networks.base import Generator
from gan_lightning.networks.layers import LabelConcat
from gan_lightning.ranges import Few, Seeds, Switch, one_of, validated
from gan_lightning.sampling.draw import images_of


def slerp(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Return [N, L]: between a[N, L] and b[N, L] along the great circle, by share[N] in [0, 1].

    A straight line would lead through the middle of N(0, 1), where no latents are. It is taken
    between equal or opposite latents, which no such circle joins.

    Source: White 2016, Sampling Generative Networks, section 2.1 (Shoemake 1985).
    """
    directions = (nn.functional.normalize(v, dim=1) for v in (a, b))
    angle = torch.linalg.vecdot(*directions).clamp(-1, 1).acos()[:, None]
    share, straight = share[:, None], angle.sin() < 1e-3  # equal or opposite: no great circle
    angle = angle.where(~straight, math.pi / 2)
    first, second = (part.sin() / angle.sin() for part in ((1 - share) * angle, share * angle))
    return torch.where(straight, torch.lerp(a, b, share), first * a + second * b)


@contextmanager
def labels_between(generator: Generator, other: Tensor, share: Tensor) -> Iterator[None]:
    """Let a generator take, for label y[B], what lies between y and other[B], by share[B].

    What a label is in the network, an embedding or a one-hot vector, is mixed.

    Raises:
        UserError: labels do not go through such a layer.
    """
    known = [
        layer
        for layer in generator.modules()
        if isinstance(layer, LabelConcat)
        or (isinstance(layer, nn.Embedding) and layer.num_embeddings == generator.num_classes)
    ]
    if not known or not generator.num_classes:
        kind = type(generator).__name__
        raise UserError(f"mode.between=classes: {kind} has nothing between two labels")

    def mixed(layer: nn.Module, given: tuple[Any, ...], output: Tensor) -> Tensor:
        goal = layer.forward(*given[:-1], other)
        weight = share.to(output).reshape(-1, *[1] * (output.dim() - 1))
        return torch.lerp(output, goal, weight)

    handles = [layer.register_forward_hook(mixed) for layer in known]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@validated
class Interpolate(SheetMode):
    """A row a path: from seed to seed by slerp, or from class to class with the same latent.

    Args:
        between: `seeds`, or `classes` of a conditional generator.
        seeds: of the stops; empty: as many as `stops`, from the command's seed on.
        stops: on the way, of `between=seeds` without `seeds`.
        steps: pictures from one stop to the next.
        rows: paths, each of other samples of the seeds.
        loop: go back to the first stop, so that an animation has no jump.
    """

    def __init__(
        self,
        between: Annotated[str, one_of("seeds", "classes")] = "seeds",
        seeds: Seeds = (),
        stops: Few = 3,
        steps: Few = 8,
        rows: Few = 5,
        loop: Switch = False,
    ) -> None:
        self.between, self.seeds, self.stops = between, tuple(seeds), stops
        self.steps, self.rows, self.loop = steps, rows, loop

    def sheet(self, subject: Subject) -> Sheet:
        if self.between == "classes":
            return self._classes(subject)
        seeds = self.seeds or tuple(range(subject.seed, subject.seed + self.stops))
        if len(seeds) < 2:
            raise UserError("mode.stops: a path has at least two stops, or mode.seeds=[0,1]")
        stops = [subject.latents(0, self.rows, seed) for seed in seeds]
        z = torch.stack([slerp(a, b, share) for a, b, share in self._path(stops, self.rows)], 1)
        y = subject.y(self.rows)
        labels = None if y is None else y[:, None].expand(-1, z.shape[1])
        flat = None if labels is None else labels.flatten()
        images = images_of(subject.generator, z.flatten(0, 1), flat).unflatten(0, z.shape[:2])
        return Sheet(images, f"{self.rows} paths between seeds {list(seeds)}", z, labels)

    def _classes(self, subject: Subject) -> Sheet:
        generator = subject.generator
        if not generator.num_classes:
            raise UserError("mode.between=classes: this generator has no labels")
        if len(subject.labels) < 2:
            raise UserError("mode.between=classes goes through several labels: leave out label=")
        if subject.truncation is not None:
            raise UserError("mode.between=classes and truncation=: give one of them")
        stops = [torch.full((self.rows,), label) for label in subject.labels]
        legs = [torch.stack([a, b, share], 1) for a, b, share in self._path(stops, self.rows)]
        z = subject.latents(0, self.rows)[:, None].expand(-1, len(legs), -1)
        given = torch.cat([z, torch.stack(legs, 1)], dim=2)  # and labels, and the share of the way

        def draw(given: Tensor, _: Tensor | None) -> Tensor:
            z, (a, b, share) = given[:, :-3], given[:, -3:].unbind(1)
            with labels_between(generator, b.long(), share):
                return generator(z, a.long())

        images = images_of(generator, given.flatten(0, 1), None, draw)
        about = f"{self.rows} paths between the classes {list(subject.labels)}"
        return Sheet(images.unflatten(0, given.shape[:2]), about, z)

    def _path(self, stops: list[Tensor], rows: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield (stop, next stop, share of the way [rows]); the last is a stop, but of a loop."""
        legs = list(zip(stops, [*stops[1:], stops[0]], strict=True))
        if not self.loop:
            legs = legs[:-1]
        for a, b in legs:
            for step in range(self.steps):
                yield a, b, torch.full((rows,), step / self.steps)
        if not self.loop:
            yield stops[-1], stops[-1], torch.zeros(rows)
