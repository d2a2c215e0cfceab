"""Train, measure and use small-image GANs."""

__version__ = "0.1.0"
