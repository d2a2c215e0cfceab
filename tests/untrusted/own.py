"""Networks from outside the package; importing it leaves a mark, if asked."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from gan_lightning.networks import Discriminator, Generator

if "MARK" in os.environ:
    Path(os.environ["MARK"]).touch()


class OwnGenerator(Generator):
    """One layer; `gain` stands for arguments of one's own."""

    def __init__(
        self, latent_dim: int, image_shape: Sequence[int], num_classes: int = 0, gain: float = 1.0
    ) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        channels, height, width = self.image_shape
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, channels * height * width),
            nn.Tanh(),
            nn.Unflatten(1, (channels, height, width)),
        )
        self.gain = gain

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layers(self.gain * z)


class OwnDiscriminator(Discriminator):
    """One layer, and it looks at no labels."""

    def __init__(self, image_shape: Sequence[int], num_classes: int = 0) -> None:
        super().__init__(image_shape, num_classes)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(image_shape), 1))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layers(x)[:, 0]


class NotAGenerator(nn.Linear):
    pass
