"""Training: the adversarial update, and what every way of training shares."""

from gan_lightning.training.gan import GANModule

__all__ = ["GANModule"]
