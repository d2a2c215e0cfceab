"""When checkpoints are written."""

from pathlib import Path

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint


class Checkpoints(Checkpoint):
    """Keeps `last.ckpt`, written after every so many epochs and at the end.

    Lightning's ModelCheckpoint counts optimizer steps, of which a GAN has several a batch, and
    with `save_top_k=0, save_last=True` it saves nothing before the very end.

    Args:
        directory: of the checkpoints.
        every_n_epochs: how often.
    """

    def __init__(self, directory: str, every_n_epochs: int = 1) -> None:
        self.directory = Path(directory)
        self.every_n_epochs = every_n_epochs

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.directory / "last.ckpt"

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after the epoch, also one that a time limit cut short."""
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        if due or trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.save_checkpoint(self.last)
