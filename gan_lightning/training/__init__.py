"""Training: the adversarial update, a VAE's, a fit, and what every way of training shares."""

from gan_lightning.training.fit import FitModule
from gan_lightning.training.gan import GANModule
from gan_lightning.training.vae import VAEModule

__all__ = ["FitModule", "GANModule", "VAEModule"]
