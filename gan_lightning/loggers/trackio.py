"""Trackio, in a local folder unless a Space or a server is named."""

import io
import os
import secrets
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch import Tensor

from gan_lightning.loggers.tool import PROJECT, Tool, pixels


class Trackio(Tool, Logger):
    """Curves, pictures and settings of a run; `more` is for `trackio.init`.

    Args:
        store: the folder of all runs, unless $TRACKIO_DIR names one.
    """

    package = "trackio"

    def __init__(self, save_dir: str, store: str, project: str = PROJECT, **more: Any) -> None:
        super().__init__()
        self.folder, self.project, self._more = Path(save_dir), project, more
        os.environ.setdefault("TRACKIO_DIR", str(Path(store).absolute()))
        self._run: Any = None

    @property
    def name(self) -> str:
        return self.project

    @property
    def version(self) -> str | None:
        return self.known_id

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The run, begun at its first use."""
        if self._run is None:
            import trackio

            # Trackio knows a run by its name: runs of two folders called `run` are not the same.
            name, known = f"{self.title}-{secrets.token_hex(2)}", self.known_id
            given = {"resume": "allow" if known else "never", "embed": False}
            given |= {"auto_log_cpu": False, "auto_log_gpu": False} | self._more
            with redirect_stdout(io.StringIO()):
                self._run = trackio.init(self.project, known or name, **given)
            place = os.environ["TRACKIO_DIR"]
            self.keep(self._run.name, f"TRACKIO_DIR={place} trackio show --project {self.project}")
        return self._run

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        self.experiment.config.update(dict(params))

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        self.experiment.log(dict(metrics), step=step)

    @rank_zero_only
    def picture(self, tag: str, grid: Tensor, images_seen: int) -> None:
        import trackio

        self.log_metrics({tag: trackio.Image(pixels(grid))}, step=images_seen)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run; Trackio would do so again when the process ends, and say it."""
        if self._run is not None:
            import trackio

            with redirect_stdout(io.StringIO()):
                trackio.finish()
            self._run = None
