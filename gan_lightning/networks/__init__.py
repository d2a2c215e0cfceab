"""Generators and discriminators.

A new architecture is a new module here with a subclass of `Generator` and one of `Discriminator`,
and a YAML under `conf/model/`. Nothing is registered by hand: `find_network` looks at the classes
that live in this package, and a generator file can name only these.
"""

from gan_lightning.networks.base import Discriminator, Generator, find_network
from gan_lightning.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gan_lightning.networks.density import Density
from gan_lightning.networks.hidden_markov import HiddenMarkov
from gan_lightning.networks.infogan import InfoGANDiscriminator, InfoGANGenerator
from gan_lightning.networks.mixture import GaussianMixture
from gan_lightning.networks.mlp import MLPDiscriminator, MLPGenerator
from gan_lightning.networks.naive_bayes import NaiveBayes
from gan_lightning.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from gan_lightning.networks.sngan import SNGANDiscriminator, SNGANGenerator
from gan_lightning.networks.stylegan2 import StyleGAN2Discriminator, StyleGAN2Generator
from gan_lightning.networks.table import TableDiscriminator, TableGenerator
from gan_lightning.networks.toy import ToyDiscriminator, ToyGenerator
from gan_lightning.networks.vae import VAEDecoder, VAEEncoder
