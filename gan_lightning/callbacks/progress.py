"""The progress bar."""

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar


class ProgressBar(TQDMProgressBar):
    """Lightning's bar with images/s and the two losses, without a version number."""

    def get_metrics(self, trainer: Trainer, model: LightningModule) -> dict:
        """Return what stands behind the bar."""
        items = super().get_metrics(trainer, model)
        items.pop("v_num", None)
        return items
