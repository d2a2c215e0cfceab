"""Pictures of what the generator can do so far."""

from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from gan_lightning.callbacks.console import show_in_notebook
from gan_lightning.callbacks.context import context
from gan_lightning.data import DataModule
from gan_lightning.loggers import Tool
from gan_lightning.pixels import save_png
from gan_lightning.ranges import Count, Seed, validated
from gan_lightning.sampling.draw import sample, sample_categories
from gan_lightning.training.base import GenerativeModule


@validated
class SampleGrid(Callback):
    """Draws a grid of the averaged generator each epoch, always from the same latents.

    The grid goes to `samples/<images_seen>.png` and to the loggers; a grid of reals goes there
    once. A conditional generator gets one row a class, of the first `most_rows`; one with codes
    (InfoGAN) a row a category, of the same latents. Points of a toy are drawn as dots, reals grey.
    Further pictures of the method (`module.pictures`) go to folders of their names beside it.
    """

    def __init__(
        self,
        directory: str,
        columns: Count = 10,
        rows: Count = 8,  # if there are neither classes nor categories
        most_rows: Count = 20,  # if there are
        points: Count = 2000,  # dots, for toys
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

    def real_grid(self, data: DataModule) -> Tensor:
        """Return a picture of the first training samples, one row a class as far as they go."""
        if data.dots:
            return data.picture()
        labels, shown = data.images.labels, data.classes[: self.most_rows]
        rows = [(labels == label).nonzero()[: self.columns, 0] for label in shown]
        first = torch.arange(min(self.rows * self.columns, len(labels)))
        return data.picture(data.images[torch.cat(rows) if rows else first][0], self.columns)

    def fake_grid(self, module: GenerativeModule, data: DataModule) -> Tensor:
        """Return a picture of fakes, uint8[C, H, W]."""
        generator = module.average.generator
        labels = data.classes if generator.num_classes else []
        if data.dots:
            counts = data.class_counts() if labels else []
            points, drawn = sample(generator, self.points, self.seed, labels, counts)
            return data.picture(points, labels=drawn)
        labels = labels[: self.most_rows]
        if generator.latent_codes.categories > 1 and not labels:
            shown = sample_categories(generator, self.columns, self.seed)
            return data.picture(shown[: self.most_rows * self.columns], self.columns)
        rows = len(labels) if labels else self.rows
        # Sample i has label i mod len(labels): transposing the grid makes a row of each label.
        images, _ = sample(generator, rows * self.columns, self.seed, labels)
        if labels:
            images = images.unflatten(0, (self.columns, rows)).transpose(0, 1).flatten(0, 1)
        return data.picture(images, self.columns)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero or (trainer.current_epoch + 1) % self.every_n_epochs:
            return
        module, data = context(trainer, pl_module)
        grid = self.fake_grid(module, data)
        self.directory.mkdir(parents=True, exist_ok=True)
        picture = self.directory / f"{module.images_seen:09d}.png"
        save_png(grid, picture)
        show_in_notebook(picture)
        self._show(trainer, "samples", grid, module.images_seen)
        for name, more in module.pictures(data).items():
            (self.directory / name).mkdir(exist_ok=True)
            save_png(more, self.directory / name / picture.name)
            self._show(trainer, name, more, module.images_seen)

    def _show(self, trainer: Trainer, tag: str, grid: Tensor, images_seen: int) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(tag, grid, images_seen)
            elif isinstance(logger, Tool):
                logger.picture(tag, grid, images_seen)
