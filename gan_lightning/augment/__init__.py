"""Differentiable augmentation of what the discriminator sees, reals and fakes alike.

An augmentation is an `nn.Module`, called as `augment(images[B, C, H, W]) -> same shape`; every
image gets a transform of its own, drawn from the global random state of the images' device.
All operations can be differentiated twice, so that gradient penalties work through them.
`update(real_logits)` tells it what D said of augmented reals.
"""

from gan_lightning.augment.ada import ADA
from gan_lightning.augment.base import Augment, NoAugment, gather, uniform
from gan_lightning.augment.diffaugment import DiffAugment
from gan_lightning.augment.noise import InstanceNoise
