"""MLflow, in a local SQLite file unless a server is named."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch import Tensor

from gan_lightning.loggers.tool import PROJECT, Tool, pixels

SQLITE = "sqlite:///"
# MLflow's own would let a batch wait for minutes when its server is gone.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


class MLflow(Tool, MLFlowLogger):
    """Lightning's logger with pictures, in the same MLflow run after a resume.

    Args:
        tracking_uri: a server, or a file for all runs: sqlite:///outputs/mlflow.db.
        experiment_name: what MLflow puts the runs under.
    """

    package = "mlflow"

    def __init__(
        self, save_dir: str, tracking_uri: str, experiment_name: str = PROJECT, **more: Any
    ) -> None:
        self.folder, self._uri = Path(save_dir), tracking_uri
        if tracking_uri.startswith(SQLITE):
            place = Path(tracking_uri.removeprefix(SQLITE)).absolute().parent
            place.mkdir(parents=True, exist_ok=True)
            more = {"artifact_location": (place / "mlartifacts").as_uri()} | more
        super().__init__(
            experiment_name, tracking_uri=tracking_uri, **{"run_name": self.title} | more
        )
        self._run_id = self._run_id or self._known_run()
        if not self._mlflow_client.get_experiment_by_name(experiment_name):
            from mlflow.exceptions import MlflowException

            with suppress(MlflowException):  # a job beside this one was first
                self._mlflow_client.create_experiment(experiment_name, self._artifact_location)

    def _known_run(self) -> str | None:
        """Return the id of the run to go on with, if it is still there, and open it again."""
        from mlflow.exceptions import MlflowException

        if run_id := self.known_id:
            try:
                self._mlflow_client.update_run(run_id, status="RUNNING")
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None  # another server, or it was deleted there
        return run_id

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Write down settings; MLflow lets none change, so a resumed run keeps its first."""
        self.keep(str(self.run_id), f"mlflow ui --backend-store-uri {self._uri}")
        there = self.experiment.get_run(self.run_id).data.params
        super().log_hyperparams({k: v for k, v in dict(params).items() if k not in there})

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics({_allowed(name): value for name, value in metrics.items()}, step)

    @rank_zero_only
    def picture(self, tag: str, grid: Tensor, images_seen: int) -> None:
        self.experiment.log_image(self.run_id, pixels(grid), key=_allowed(tag), step=images_seen)

    @rank_zero_only
    def words(self, tag: str, text: str, images_seen: int) -> None:
        self.experiment.log_text(self.run_id, text, f"{tag}/{images_seen:09d}.txt")


def _allowed(name: str) -> str:
    """Return D_real for D(real): MLflow has no brackets."""
    return re.sub(r"[^\w/. -]+", "_", name).strip("_")
