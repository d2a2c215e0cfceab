"""One coordinate of the latent after the other, or its codes."""

import torch

from gan_lightning.errors import UserError
from gan_lightning.modes.base import SheetMode, Subject
from gan_lightning.modes.sheet import Sheet
from gan_lightning.ranges import Few, Places, Positive, validated
from gan_lightning.sampling.draw import images_of

DIMS = 10  # rows, if not all are asked for


@validated
class Traverse(SheetMode):
    """A row a coordinate of z, from -reach to reach, all else as in the seed's first sample.

    Of a generator with codes (InfoGAN) the rows are its categories, then each continuous code from
    -1 to 1.

    Args:
        dims: the coordinates, from 0; empty: the codes if there are any, else the first ten.
        steps: columns; as many as categories if those are shown.
        reach: in standard deviations.
    """

    def __init__(self, dims: Places = (), steps: Few = 9, reach: Positive = 3.0) -> None:
        self.dims, self.steps, self.reach = tuple(dims), steps, reach

    def sheet(self, subject: Subject) -> Sheet:
        generator, codes = subject.generator, subject.generator.latent_codes
        start, length = subject.latents(0, 1), generator.latent_dim
        if wrong := [dim for dim in self.dims if dim >= length]:
            raise UserError(f"mode.dims={wrong}: the latent has the coordinates 0 to {length - 1}")
        if codes.size and not self.dims:
            steps = codes.categories or self.steps
            z = start.expand(steps, -1)
            rows = [codes.with_category(z, torch.arange(steps))] if codes.categories else []
            values = torch.linspace(-0.98, 0.98, steps)
            rows += [codes.with_value(z, index, values) for index in range(codes.continuous)]
            about = f"{codes.categories} categories and {codes.continuous} continuous codes"
        else:
            dims, rows = self.dims or range(min(DIMS, length)), []
            for dim in dims:
                row = start.repeat(self.steps, 1)
                row[:, dim] = torch.linspace(-self.reach, self.reach, self.steps)
                rows.append(row)
            about = f"coordinates {[*dims]} of z from {-self.reach:g} to {self.reach:g}"
        latents = torch.stack(rows)
        y = subject.y(1)
        labels = None if y is None else y.expand(latents.shape[:2])
        flat = None if labels is None else labels.flatten()
        images = images_of(generator, latents.flatten(0, 1), flat)
        return Sheet(images.unflatten(0, latents.shape[:2]), about, latents, labels)
