"""Data sets in memory as uint8, batches by index, scaled to [-1, 1] on the device."""

from gan_lightning.data.mnist import MNISTDataModule
from gan_lightning.data.module import DataUnavailable, DigitsDataModule, ImageDataModule

__all__ = ["DataUnavailable", "DigitsDataModule", "ImageDataModule", "MNISTDataModule"]
