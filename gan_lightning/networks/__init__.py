"""Generators and discriminators.

A new architecture is a new module here with a subclass of `Generator` and one of `Discriminator`,
and a YAML under `conf/model/`. Nothing is registered by hand: `find_generator` looks at the
classes that live in this package, and these classes alone may be named by a generator file.
"""

from gan_lightning.networks.base import Discriminator, Generator, find_generator, generator_names
from gan_lightning.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gan_lightning.networks.mlp import MLPDiscriminator, MLPGenerator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator",
    "Generator",
    "MLPDiscriminator",
    "MLPGenerator",
    "find_generator",
    "generator_names",
]
