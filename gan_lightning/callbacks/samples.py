"""Pictures of what the generator can do so far."""

from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torchvision.utils import make_grid, save_image

from gan_lightning.callbacks.context import context
from gan_lightning.data import ImageDataModule, PointsDataModule
from gan_lightning.pixels import scatter, visible
from gan_lightning.ranges import Count, Seed, validated
from gan_lightning.sampling.draw import sample, sample_categories
from gan_lightning.training.gan import GANModule


@validated
class SampleGrid(Callback):
    """Draws a grid of the averaged generator each epoch, always from the same latents.

    The grid goes to `samples/<images_seen>.png` and to TensorBoard; a grid of reals goes there
    once. A conditional generator gets one row a class, of the first `most_rows`; one with codes
    (InfoGAN) a row a category, of the same latents. Points of a toy are drawn as dots, reals grey.

    Args:
        directory: of the PNG files.
        columns: images a row.
        rows: rows, if there are neither classes nor categories.
        most_rows: rows, if there are.
        points: dots, for toys.
        every_n_epochs: how often.
        seed: of the latents.
    """

    def __init__(
        self,
        directory: str,
        columns: Count = 10,
        rows: Count = 8,
        most_rows: Count = 20,
        points: Count = 2000,
        every_n_epochs: Count = 1,
        seed: Seed = 0,
    ) -> None:
        self.directory = Path(directory)
        self.columns = columns
        self.rows = rows
        self.most_rows = most_rows
        self.points = points
        self.every_n_epochs = every_n_epochs
        self.seed = seed

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the reals once."""
        module, data = context(trainer, pl_module)
        if trainer.is_global_zero and module.images_seen == 0:
            self._show(trainer, "reals", self.real_grid(data), 0)

    @property
    def _cells(self) -> int:
        return self.rows * self.columns

    def real_grid(self, data: ImageDataModule) -> Tensor:
        """Return a grid of the first training images, one row a class as far as they go."""
        images, labels = data.images.images, data.images.labels
        if isinstance(data, PointsDataModule):
            return scatter(images[: self.points])
        shown = data.classes[: self.most_rows]
        rows = [images[labels == label][: self.columns] for label in shown]
        chosen = [image for row in rows for image in row] or list(images[: self._cells])
        return make_grid(visible(torch.stack(chosen)), nrow=self.columns).float() / 255

    def fake_grid(self, module: GANModule, data: ImageDataModule) -> Tensor:
        """Return the grid of fakes, values in [0, 1]."""
        generator = module.average.generator
        labels = data.classes[: self.most_rows] if generator.num_classes else ()
        if isinstance(data, PointsDataModule):
            modes = data.classes if generator.num_classes else ()
            points, _ = sample(generator, self.points, self.seed, modes)
            return scatter(data.images.images[: self.points], [points])
        if generator.latent_codes.categories > 1 and not labels:
            shown = sample_categories(generator, self.columns, self.seed)
            images = shown[: self.most_rows * self.columns]
            return self._grid(images)
        rows = len(labels) if labels else self.rows
        # Sample i has label i mod len(labels): transposing the grid makes a row of each label.
        images, _ = sample(generator, rows * self.columns, self.seed, labels)
        if labels:
            images = images.unflatten(0, (self.columns, rows)).transpose(0, 1).flatten(0, 1)
        return self._grid(images)

    def _grid(self, images: Tensor) -> Tensor:
        return make_grid(visible(images), self.columns, normalize=True, value_range=(-1, 1))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw this epoch's grid."""
        if not trainer.is_global_zero or (trainer.current_epoch + 1) % self.every_n_epochs:
            return
        module, data = context(trainer, pl_module)
        grid = self.fake_grid(module, data)
        self.directory.mkdir(parents=True, exist_ok=True)
        save_image(grid, self.directory / f"{module.images_seen:09d}.png")
        self._show(trainer, "samples", grid, module.images_seen)

    def _show(self, trainer: Trainer, tag: str, grid: Tensor, images_seen: int) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(tag, grid, images_seen)
