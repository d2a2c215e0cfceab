"""Training: the adversarial update, fits without one, and what every way of training shares."""

from gan_lightning.training.fit import FitModule
from gan_lightning.training.gan import GANModule

__all__ = ["FitModule", "GANModule"]
