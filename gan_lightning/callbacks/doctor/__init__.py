"""The collapse doctor: it measures, diagnoses and says what to try."""

from gan_lightning.callbacks.doctor.callback import CollapseDoctor

__all__ = ["CollapseDoctor"]
