"""Says in plain words when training has gone wrong, and what to try."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from gan_lightning.callbacks.context import context
from gan_lightning.callbacks.doctor.diagnosis import Chart, diagnose
from gan_lightning.callbacks.doctor.measure import Panel, choose_panel, measure
from gan_lightning.callbacks.doctor.rules import RULES
from gan_lightning.loggers import Tool
from gan_lightning.ranges import NonNegative, number, validated
from gan_lightning.training.base import GenerativeModule


@validated
class CollapseDoctor(Callback):
    """Looks at both networks after every epoch; silent as long as they learn.

    What it finds is said once, until it clears: on the console, as text `doctor` in the loggers
    and in a log file. It looks at copies of the networks with latents of its own, on the first
    process alone, and so changes nothing in the training. What is fitted without an optimizer
    cannot go wrong step by step, and is not looked at.
    """

    def __init__(
        self,
        log_file: str,  # what it says is appended to it
        # Fakes, training reals and held-out reals that it looks at; one has no distances.
        num_images: Annotated[int, number(2, whole=True)] = 500,
        warm_up: NonNegative = 10_000,  # images seen before anything counts: all is untrained
    ) -> None:
        self.log_file = Path(log_file)
        self.num_images = num_images
        self.warm_up = warm_up
        self.chart = Chart()
        self._panel: Panel | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        module, data = context(trainer, pl_module)
        if trainer.is_global_zero and module.stepped:
            self._panel = choose_panel(module, data, self.num_images)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure, and say what is wrong."""
        if self._panel is None:
            return
        module, _ = context(trainer, pl_module)
        findings = diagnose(measure(module, self._panel), RULES)
        if trainer.current_epoch == 0 or module.images_seen < self.warm_up:
            findings = [finding for finding in findings if finding.patience == 1]
        for words in self.chart.update(findings):
            self._say(trainer, module, words)

    def _say(self, trainer: Trainer, module: GenerativeModule, words: str) -> None:
        module.print(f"doctor: {words}")  # goes above a progress bar
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text("doctor", words, module.images_seen)
            elif isinstance(logger, Tool):
                logger.words("doctor", words, module.images_seen)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.now().isoformat(" ", "seconds")
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(f"{now} images_seen={module.images_seen} doctor: {words}\n")

    def state_dict(self) -> dict[str, Any]:
        return self.chart.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.chart.load_state_dict(state_dict)
