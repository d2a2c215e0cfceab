"""Weights & Biases, offline unless it is asked for."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch import Tensor

from gan_lightning.loggers.tool import PROJECT, Tool, pixels
from gan_lightning.ranges import Switch
from gan_lightning.system.files import relative

PATIENCE = 60.0  # seconds that the end of a run waits for what is not uploaded yet


class Wandb(Tool, WandbLogger):
    """Lightning's logger with images_seen as the step; `more` is for `wandb.init`."""

    package = "wandb"

    def __init__(
        self, save_dir: str, project: str = PROJECT, offline: Switch = True, **more: Any
    ) -> None:
        self.folder, self.offline = Path(save_dir), offline
        given = {
            "name": self.title,
            "mode": "offline" if offline else "online",
            "resume": None if offline else "allow",  # offline the id alone says it
            "reinit": "create_new",
            **more,
        }
        run_id = self.known_id or secrets.token_hex(4)
        super().__init__(save_dir=save_dir, project=project, id=run_id, **given)
        del self._wandb_init["anonymous"]  # wandb warns of it, and Lightning always gives it

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The run, begun at its first use."""
        if self._experiment is None:
            import wandb

            settings = wandb.Settings(silent=True, console="off", finish_timeout=PATIENCE)
            run = wandb.init(**{"settings": settings} | self._wandb_init)
            run.define_metric("images_seen")
            run.define_metric("*", step_metric="images_seen")
            files = f"wandb sync {relative(self.folder)}/wandb/offline-run-*"
            self.keep(run.id, files if self.offline else str(run.url))
            self._experiment = run
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        self.experiment.log({**metrics, "images_seen": step}, step=step)

    def picture(self, tag: str, grid: Tensor, images_seen: int) -> None:
        self.log_image(tag, [pixels(grid)], step=images_seen)

    def words(self, tag: str, text: str, images_seen: int) -> None:
        self.log_text(tag, columns=["images_seen", tag], data=[[str(images_seen), text]])

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run: the next job of a sweep in this process begins its own."""
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish(exit_code=int(status != "success"))
            self._experiment = None
