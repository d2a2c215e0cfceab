"""Style mixing: coarse styles of one sample, fine ones of another."""

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.modes.base import SheetMode, Subject
from gan_lightning.modes.sheet import Sheet
from gan_lightning.networks import StyleGAN2Generator
from gan_lightning.networks.equalized import normalise
from gan_lightning.ranges import Count, Few, validated
from gan_lightning.sampling.draw import images_of


@validated
class Mix(SheetMode):
    """The first row and column are samples; in between, the row's coarse and the column's fine.

    Source: Karras et al. 2019, StyleGAN, section 3.1 and figure 3.

    Args:
        rows: samples whose styles are taken below the crossover.
        columns: samples whose styles are taken from the crossover on.
        crossover: the first layer of the fine styles; null: the middle one.
    """

    def __init__(self, rows: Few = 5, columns: Few = 6, crossover: Count | None = None) -> None:
        self.rows, self.columns, self.crossover = rows, columns, crossover

    def sheet(self, subject: Subject) -> Sheet:
        generator = subject.generator
        if not isinstance(generator, StyleGAN2Generator):
            kind = type(generator).__name__
            raise UserError(f"mode=mix: {kind} has no styles: train model=stylegan2")
        layers = len(generator.convs)
        crossover = self.crossover or layers // 2
        if not 0 < crossover < layers:
            raise UserError(f"mode.crossover={crossover} must be from 1 to {layers - 1}")
        z = subject.latents(0, self.rows + self.columns)
        coarse, fine = z[: self.rows], z[self.rows :]
        rows = torch.cat([fine[:1], coarse])  # the first one is not used
        first = [torch.stack([fine, fine], 1)]
        pairs = first + [torch.stack([one.expand_as(fine), fine], 1) for one in rows[1:]]
        y = subject.y(1)

        def draw(pair: Tensor, y: Tensor | None) -> Tensor:
            low, high = (normalise(part) for part in pair.unbind(1))
            late = torch.arange(layers, device=pair.device)[:, None] >= crossover
            w = torch.where(late, generator.styles(high, y), generator.styles(low, y))
            return generator.synthesise(w, low)

        def images(pairs: Tensor) -> Tensor:
            return images_of(generator, pairs, None if y is None else y.expand(len(pairs)), draw)

        mixed = torch.stack([images(part) for part in pairs])
        own = images(torch.stack([coarse, coarse], 1))
        blank = torch.full_like(own[:1], -1.0)
        heads = torch.cat([blank, own])[:, None]
        about = f"coarse styles of {self.rows} samples, fine ones of {self.columns} others"
        return Sheet(torch.cat([heads, mixed], 1), about)
