"""TensorBoard's events, on the images_seen axis, with its HParams tab."""

from argparse import Namespace
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch.utils.tensorboard.summary import hparams

METRICS = ("loss/D", "loss/G", "score/fid")  # that the HParams tab shows beside the settings


class TensorBoard(TensorBoardLogger):
    """Lightning's logger, writing straight into the run folder, with the HParams tab filled."""

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir, name="", version="", default_hp_metric=False)

    @rank_zero_only
    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, metrics: Any = None, step: int | None = None
    ) -> None:
        """Announce settings and metric names; the curves themselves fill in the values.

        Lightning would log a made-up value at step 0 for each metric.
        """
        settings = dict(params) if isinstance(params, dict) else vars(params)
        for summary in hparams(settings, dict.fromkeys(METRICS, 0.0)):
            self.experiment.file_writer.add_summary(summary)

    @rank_zero_only
    def resume(self, images_seen: int) -> None:
        """Continue the curves from this position; TensorBoard hides later points."""
        self._kwargs["purge_step"] = images_seen + 1

    @rank_zero_only
    def save(self) -> None:
        """Write nothing beside the events: the run folder has its config.yaml."""
