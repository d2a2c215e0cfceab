"""Adversarial losses, all in logits.

A loss is an object with `discriminator(real_logits, fake_logits)` and
`generator(fake_logits, real_logits)`, each returning a scalar that its network minimises.
A new one is a subclass of `Loss`, here or in any package, and a YAML that names it.
"""

from gan_lightning.losses.auxiliary import ACGAN, AuxiliaryLoss, InfoGAN, MultiHinge
from gan_lightning.losses.base import Loss, bce
from gan_lightning.losses.classical import (
    BCEWithLogits,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Wasserstein,
)
from gan_lightning.losses.fgan import (
    FGAN,
    JensenShannon,
    KullbackLeibler,
    PearsonChi2,
    ReverseKullbackLeibler,
)
from gan_lightning.losses.relativistic import RelativisticAverage, RelativisticPaired, Softmax
from gan_lightning.losses.topk import TopK
