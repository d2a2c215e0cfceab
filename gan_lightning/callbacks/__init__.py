"""Callbacks: what happens beside the loop."""

from gan_lightning.callbacks.checkpoints import Checkpoints
from gan_lightning.callbacks.progress import ProgressBar
from gan_lightning.callbacks.samples import SampleGrid

__all__ = ["Checkpoints", "ProgressBar", "SampleGrid"]
