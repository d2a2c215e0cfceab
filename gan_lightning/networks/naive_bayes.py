"""Naive Bayes: every pixel by itself, given the label."""

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from gan_lightning.networks.density import Density, choose, uniform
from gan_lightning.ranges import Labels, Positive, number, validated

Levels = Annotated[int, number(2, 256, whole=True)]


@validated
class NaiveBayes(Density):
    """z[B, P] -> image: each of the P pixels from its own histogram, by the inverse of F.

    p(x|y) is the product over the pixels of a histogram of `levels` bins of equal width w on
    [-1, 1]; the density within a bin is its probability / w, so it is at most 1 / w. A pixel is
    drawn as F^-1(Phi(z_i)), F being piecewise linear.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, sections 2.5.1 (histograms) and
    4.2.3 (naive Bayes); Murphy 2012, Machine Learning, section 3.5 (add-one smoothing).

    Args:
        levels: bins of a histogram.
        smoothing: what is added to each bin's count; 1 is Laplace's.
    """

    needs: ClassVar[str] = "torch"  # it is counting
    probability: Tensor  # of a bin [K, P, levels]

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        levels: Levels = 32,
        smoothing: Positive = 1.0,
    ) -> None:
        super().__init__(math.prod(image_shape), image_shape, num_classes)
        self.levels, self.smoothing = levels, smoothing
        untrained = torch.full((self.groups, self.size, levels), 1 / levels)
        self.register_buffer("probability", untrained)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        probability, u = self.probability[self._labels(y, z.shape[0])], uniform(z)
        level = choose(u, probability)
        inside = probability.gather(2, level[..., None])[..., 0]
        below = probability.cumsum(dim=2).gather(2, level[..., None])[..., 0] - inside
        share = ((u - below) / inside).clamp(0, 1)  # of the bin
        return ((level + share) * (2 / self.levels) - 1).unflatten(1, self.image_shape)

    def fit_label(self, label: int, x: Tensor, seed: int) -> None:
        place = self._level(x) + self.levels * torch.arange(self.size)
        counts = torch.bincount(place.flatten(), minlength=self.size * self.levels)
        smooth = counts.view(self.size, self.levels) + self.smoothing
        self.probability[label].copy_(smooth / (len(x) + self.smoothing * self.levels))

    def log_density(self, x: Tensor, label: int) -> Tensor:
        heights = self.probability[label].log() + math.log(self.levels / 2)  # [P, levels]
        level = self._level(x)
        return heights.expand(len(x), -1, -1).gather(2, level[..., None])[..., 0].sum(dim=1)

    def _level(self, x: Tensor) -> Tensor:
        """Return the bins int64[B, P] that pixels are in."""
        return ((x + 1) * (self.levels / 2)).long().clamp(0, self.levels - 1)
