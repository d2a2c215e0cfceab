"""Regularisers and constraints of the discriminator.

A penalty is called as `penalty(d, real[B, ...], fake[B, ...], y[B] | None)`, where d(x, y) gives
the discriminator's logits [B]. It returns a per-sample tensor [B], its weight included. The caller
runs it in float32. Random numbers come from the global random state. A penalty with a state is an
`nn.Module`, so that checkpoints hold the state.
"""

from gan_lightning.penalties.base import (
    DiscriminatorFn,
    Penalty,
    gradient_norm,
    interpolate,
    squared_gradient_norm,
)
from gan_lightning.penalties.constraints import ClipWeights, NoConstraint
from gan_lightning.penalties.gradients import (
    DRAGAN,
    R1,
    R1R2,
    R2,
    WGANGP,
    WGANLP,
    NoPenalty,
    WGANDiv,
)
from gan_lightning.penalties.logits import Consistency, LeCam
from gan_lightning.penalties.wrappers import Lazy, Scheduled, Sum
