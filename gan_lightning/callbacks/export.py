"""The files of a run: the latest generator and D after every epoch, the best generator so far."""

from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from gan_lightning.callbacks.context import context
from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import (
    DISCRIMINATOR_FILE,
    Judge,
    save_judge,
)
from gan_lightning.export.discriminator_metadata import describe_discriminator
from gan_lightning.export.generator_file import BEST_FILE, GENERATOR_FILE, save_generator
from gan_lightning.export.metadata import describe
from gan_lightning.networks.base import Discriminator
from gan_lightning.training import GANModule


class GeneratorExport(Callback):
    """Writes the generator file after every epoch, and the plain config into checkpoints.

    The one with the lowest score so far is also kept, as `best.safetensors` beside it.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path  # of the generator file
        self.config = config  # the run's, resolved, in plain containers

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise UserError now, not after the first epoch, if the file cannot hold a value."""
        module, data = context(trainer, pl_module)
        try:
            describe(self.config, module.average.generator, 0, {}, table=data.table())
        except ValueError as error:
            raise UserError(f"{GENERATOR_FILE} cannot hold this generator: {error}") from error

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Make the checkpoint self-describing."""
        data = context(trainer, pl_module)[1]
        counts = data.class_counts()
        checkpoint |= {"config": self.config, "class_counts": counts, "table": data.table()}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            module, data = context(trainer, pl_module)
            generator, counts = module.average.generator, data.class_counts()
            seen = module.images_seen
            scores = module.scores if module.course.latest_at == seen else {}
            metadata = describe(self.config, generator, seen, scores, counts, data.table())
            save_generator(self.path, generator, metadata)
            if isinstance(module, GANModule):
                self._save_discriminator(module)
            if module.course.best_at == seen:
                save_generator(self.path.with_name(BEST_FILE), generator, metadata)

    def _save_discriminator(self, module: GANModule) -> None:
        """Write D, for whoever wants to ask it about images; one of one's own may not fit."""
        d, clusters = module.discriminator, module.clusters
        if not isinstance(d, Discriminator):
            return
        count, centres = (clusters.count, clusters.centres) if clusters else (0, None)
        try:
            metadata = describe_discriminator(self.config, d, count, module.images_seen)
        except ValueError:  # its arguments are no plain values
            return
        save_judge(self.path.with_name(DISCRIMINATOR_FILE), Judge(d, metadata, centres))
