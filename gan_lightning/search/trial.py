"""The run of one trial: a process and a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from optuna.trial import Trial

from gan_lightning.report.curves import Points, read_curves
from gan_lightning.runs.record import read_record
from gan_lightning.system.folder_lock import in_use
from gan_lightning.system.portable import dies_with_parent

TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def folder_of(search: Path, number: int) -> Path:
    """Return the run folder of a trial."""
    return search / "trials" / f"{number:04}"


def scores_of(run: Path, metric: str) -> Points:
    """Return (images seen, value) of a metric, as far as metrics.csv has finite ones."""
    try:
        return read_curves((run / "metrics.csv").read_text()).series.get(metric, [])
    except OSError:
        return []


class TrialRun:
    """A run that goes on beside others; its output goes to a log, not to the terminal."""

    def __init__(self, trial: Trial, search: Path, words: Sequence[str], threads: int) -> None:
        self.trial, self.pruned = trial, False
        self.folder = folder_of(search, trial.number)
        known = trial.study.get_trials(deepcopy=False)[trial.number]
        self.reported = max(known.intermediate_values, default=0)
        self.log = search / "logs" / f"{trial.number:04}.txt"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        place = str(self.folder).replace("\\", "\\\\").replace("'", "\\'")
        command = [sys.executable, str(TRAIN), *words, f"hydra.run.dir='{place}'", "resume=auto"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env={"OMP_NUM_THREADS": str(threads), **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is passed on, once
                preexec_fn=dies_with_parent(),
            )

    def end(self) -> None:
        """Ask the run to end, saved."""
        self.process.terminate()

    def reason(self, status: int) -> str:
        """Return why the run failed, in a line."""
        if status < 0:
            name = signal.Signals(-status).name
            memory = status == -getattr(signal, "SIGKILL", 0)
            return f"ended by {name}" + " (the system does that when memory runs out)" * memory
        sessions = read_record(self.folder).get("sessions") or [{}]
        said = str(sessions[-1].get("reason", ""))
        if not said.startswith(("failed: ", "ended")):  # it ended before there was a run
            lines = self.log.read_text(errors="replace").split("\n")
            said = next((line for line in reversed(lines) if line.strip()), f"status {status}")
        return said.removeprefix("failed: ").split("\n")[0].strip()


def busy(search: Path, number: int) -> bool:
    """Whether a process of an earlier start still writes to a trial's folder."""
    return in_use(folder_of(search, number))
