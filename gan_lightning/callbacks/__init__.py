"""Callbacks: pictures, scores, checkpoints, the doctor, stopping, the report."""

from gan_lightning.callbacks.checkpoints import Checkpoints
from gan_lightning.callbacks.console import ProgressBar
from gan_lightning.callbacks.doctor.callback import CollapseDoctor
from gan_lightning.callbacks.report import RunReport
from gan_lightning.callbacks.samples import SampleGrid
from gan_lightning.callbacks.scores import LiveScores

__all__ = ["Checkpoints", "CollapseDoctor", "LiveScores", "ProgressBar", "RunReport", "SampleGrid"]
