"""The latent behind an image: target, reconstruction, error."""

from pathlib import Path

import numpy as np
import torch

from gan_lightning.modes.base import SheetMode, Subject, require_images
from gan_lightning.modes.given import read_given
from gan_lightning.modes.sheet import Sheet
from gan_lightning.pixels import to_unit_range
from gan_lightning.ranges import Count, Few, Switch, validated
from gan_lightning.sampling.invert import invert

LISTED = 20  # images whose error is printed


@validated
class Invert(SheetMode):
    """A row an image: the target, what the generator draws closest to it, and what differs.

    Args:
        restarts: latents that are optimised for each image.
        steps: of the optimizer.
        fit: bring images of another size or colour to the generator's.
    """

    reads = ("image",)

    def __init__(self, restarts: Few = 4, steps: Count = 200, fit: Switch = False) -> None:
        self.restarts, self.steps, self.fit = restarts, steps, fit

    def check(self, subject: Subject, output: Path | None) -> None:
        super().check(subject, output)
        require_images(subject, "invert")

    def sheet(self, subject: Subject) -> Sheet:
        shape = tuple(subject.generator.image_shape)
        given = read_given(subject.image, shape, self.fit, "invert")
        targets = to_unit_range(given.images)
        found = invert(
            subject.generator, targets, subject.labels, subject.seed, self.restarts, self.steps
        )
        for i, name in enumerate(given.names[:LISTED]):
            label = "" if found.y is None else f", label {found.y[i]}"
            print(f"{name}: error {found.errors[i]:.3f}{label}")
        difference = (targets - found.images).abs() - 1.0
        images = torch.stack([targets, found.images, difference], dim=1)
        mean = float(np.mean(found.errors.numpy()))
        about = f"{len(targets)} images inverted, mean error {mean:.3f} of pixels in (0, 1)"
        y = None if found.y is None else found.y[:, None].expand(-1, 3)
        return Sheet(images, about, found.z[:, None].expand(-1, 3, -1), y)
