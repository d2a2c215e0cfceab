"""The page about a run, written when the run ends or is stopped."""

import json
from pathlib import Path

from lightning import Callback, LightningModule, Trainer

from gan_lightning.callbacks.context import context
from gan_lightning.callbacks.scores import LiveScores
from gan_lightning.system.files import atomic_write


class RunReport(Callback):
    """Writes `report.html` and `samples.gif` into the run folder.

    Nothing that fails here ends a run. The page says how the run ended, which only `runs/train.py`
    knows: it calls `write` once run.json says so, whatever the ending, on the first process alone.
    `floors.json`, the scores of held-out reals, is written at the end of training, where the
    feature network is at hand.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Score held-out reals once, for the floors; a run that a signal ended has no time."""
        from gan_lightning.report.folder import FLOORS_FILE

        path = self.directory / FLOORS_FILE
        callbacks = trainer.callbacks  # type: ignore[attr-defined]  # a connector sets it
        scorers = [c for c in callbacks if isinstance(c, LiveScores)]
        if not trainer.is_global_zero or not scorers or path.exists():
            return
        try:
            _, data = context(trainer, pl_module)
            scores, reals = scorers[0].floors(data)
            if scores:
                record = {
                    "scores": scores,
                    "reals": reals,
                    "num_samples": scorers[0].num_samples,
                    "neighbours": scorers[0].neighbours,
                    "unit": scorers[0].unit,
                }
                text = json.dumps(record, indent=1) + "\n"
                atomic_write(path, lambda file: file.write_text(text))
        except Exception as error:  # whatever it is, the training went well
            pl_module.print(f"WARNING: no floors of the scores: {_reason(error)}")

    def write(self) -> str:
        """Write the page and the GIF; return "", or why that failed, in one line."""
        try:
            from gan_lightning.report.page import write_report

            write_report(self.directory)
        except Exception as error:  # whatever it is, the run ended as it ended
            return f"no report: {_reason(error)}"
        return ""


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
