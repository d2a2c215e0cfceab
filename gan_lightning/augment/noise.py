"""Instance noise."""

import torch
from torch import Tensor

from gan_lightning.augment.base import Augment
from gan_lightning.schedules import Follower, Schedule


class InstanceNoise(Follower, Augment):
    """Gaussian noise on everything D sees, so that reals and fakes overlap; it fades out.

    Source: Soenderby et al. 2017, Amortised MAP Inference for Image Super-resolution (instance
    noise); Arjovsky & Bottou 2017, Towards Principled Methods for Training GANs, section 3.

    Args:
        std: standard deviation per pixel, a schedule of images_seen; images are in [-1, 1].
    """

    def __init__(self, std: Schedule) -> None:
        super().__init__()
        self.std = std

    def forward(self, images: Tensor) -> Tensor:
        std = self.std(self.images_seen)
        return images + std * torch.randn_like(images) if std else images
