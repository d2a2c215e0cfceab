"""The nearest training images beside each sample: does the generator copy?"""

from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.metrics.neighbours import nearest
from gan_lightning.modes.base import SheetMode, Subject, require_images
from gan_lightning.modes.sheet import Sheet
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.ranges import Few, one_of, validated
from gan_lightning.sampling.draw import images_of


@validated
class Neighbours(SheetMode):
    """A row a sample: it, then its nearest training images, the nearest first.

    Args:
        rows: samples.
        columns: training images beside each.
        space: what is compared: `pixels`, or `features` of the network that FID is computed with.
    """

    def __init__(
        self,
        rows: Few = 10,
        columns: Few = 5,
        space: Annotated[str, one_of("pixels", "features")] = "pixels",
    ) -> None:
        self.rows, self.columns, self.space = rows, columns, space

    def check(self, subject: Subject, output: Path | None) -> None:
        super().check(subject, output)
        require_images(subject, "neighbours")

    def sheet(self, subject: Subject) -> Sheet:
        data, y = subject.reals(), subject.y(self.rows)
        samples = images_of(subject.generator, subject.latents(0, self.rows), y)
        training = data.split(train=True).images
        if training.shape[1:] != samples.shape[1:]:
            was, wanted = ("x".join(map(str, s.shape[1:])) for s in (training, samples))
            raise UserError(f"mode=neighbours: images of {data.name} are {was}, samples {wanted}")
        if self.columns > len(training):
            raise UserError(f"mode.columns={self.columns}: there are {len(training)} images")
        distances, places = self._nearest(data, samples, training)
        found = to_unit_range(training[places.flatten()]).unflatten(0, places.shape)
        images = torch.cat([samples[:, None], found], dim=1)
        closest = distances[:, 0].sqrt()
        about = (
            f"{self.rows} samples, each beside its {self.columns} nearest of {len(training):,} "
            f"training images (distance in {self.space} {closest.min():.3g} to {closest.max():.3g})"
        )
        return Sheet(images, about)

    def _nearest(
        self, data: DataModule, samples: Tensor, training: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return distances [rows, columns], squared, and which images they are."""
        if self.space == "pixels":
            flat = to_unit_range(training).flatten(1)
            return nearest(samples.flatten(1), flat, self.columns)
        from gan_lightning.metrics.features.store import feature_network  # slow imports
        from gan_lightning.metrics.reals import real_statistics

        network = feature_network(data)
        reals = real_statistics(data, network, train=True).embedded.features
        return nearest(network.embed(to_uint8(samples)).features, reals, self.columns)
