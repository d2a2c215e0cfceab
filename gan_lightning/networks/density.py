"""Generators that know how likely an image is: log p(x|y), Bayes' rule, a fit without gradients."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator
from gan_lightning.networks.layers import required

# erf(x) is x P(x^2) / Q(x^2), from the highest power down; beyond _ERF_ONE it is 1 in float32.
_ERF = [2.2905065861350646e-4, 3.4082910107109506e-3, 5.0955695062380861e-2]
_ERF += [1.8520832239976145e-1, 1.128379143519084]
_ERF_BELOW = [-1.1791602954361697e-7, 2.3547966471313185e-5, 1.0179625278914885e-3]
_ERF_BELOW += [1.4070470171167667e-2, 1.1098505178285362e-1, 4.9746925110067538e-1, 1.0]
_ERF_ONE = 3.832506856900711


class Density(Generator, ABC):
    """A generator z[B, L], y -> image that also has log p(x|y), and is fitted in one pass.

    All that it learns is in buffers, whose sizes follow from the constructor's arguments. Without
    labels there is one group, number 0, which all images are in.

    `log_prob` is a density of the pixels' values in [-1, 1], all of an image together, in nats:
    so different densities of the same images can be compared. Pixels have 256 values and get no
    noise (they are not dequantised); that a pixel which never changes does not make a density
    infinite is up to each subclass, which bounds how narrow it can be.

    Source: Theis et al. 2016, A note on the evaluation of generative models, section 3.1 (what a
    density of discrete pixels is worth).
    """

    needs: ClassVar[str] = "sklearn"  # the library that fits it
    prior: Tensor  # P(y) [K]: how often each label was among the images

    def __init__(self, latent_dim: int, image_shape: Sequence[int], num_classes: int = 0) -> None:
        super().__init__(latent_dim, image_shape, num_classes)
        self.groups = max(num_classes, 1)
        self.size = math.prod(self.image_shape)  # numbers in an image
        self.register_buffer("prior", torch.full((self.groups,), 1 / self.groups))

    @abstractmethod
    def fit_label(self, label: int, x: Tensor, seed: int) -> None:
        """Estimate p(x|label) from images x[N, P], N > 0, on the CPU."""

    @abstractmethod
    def log_density(self, x: Tensor, label: int) -> Tensor:
        """Return log p(x|label) [B] of images x[B, P], in nats."""

    def prepare(self, x: Tensor, seed: int) -> None:
        """Estimate what all labels share from all images x[N, P]."""

    @torch.no_grad()
    def fit(
        self,
        x: Tensor,
        y: Tensor | None = None,
        seed: int = 0,
        bar: Callable[[Iterable[int]], Iterable[int]] = iter,
    ) -> None:
        """Estimate P(y) and p(x|y) from images x[N, C, H, W] in [-1, 1] and labels y int64[N].

        A label without images keeps its untrained density, and has P(y) = 0.

        Args:
            seed: of where an iterative fit starts.
            bar: goes through the labels, one after the other, and may count them.

        Raises:
            UserError: the images are too few for so many parameters.
        """
        x, y = x.detach().float().cpu().flatten(1), self._labels(y, len(x)).cpu()
        self.prior.copy_(torch.bincount(y, minlength=self.groups) / len(y))
        self.prepare(x, seed)
        for label in bar(range(self.groups)):
            own = x[y == label]
            try:
                if len(own):
                    self.fit_label(label, own, seed)
            except ValueError as error:  # the library's own
                reason = str(error).partition("\n")[0]
                name = type(self).__name__
                raise UserError(
                    f"{name} cannot be fitted to {len(own)} images of label {label}: {reason}"
                ) from error

    @property
    def log_prior(self) -> Tensor:
        """Return log P(y) [K]: -inf for a label without images."""
        return self.prior.log()

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return log p(x|y) [B] of images x[B, C, H, W] in [-1, 1] and labels y[B], in nats."""
        flat, y = x.flatten(1), self._labels(y, len(x))
        found = flat.new_empty(len(x))
        for label in y.unique().tolist():
            found[y == label] = self.log_density(flat[y == label], label)
        return found

    def log_joint(self, x: Tensor) -> Tensor:
        """Return log p(x, y) [B, K] = log p(x|y) + log P(y) of images x[B, C, H, W], in nats."""
        flat = x.flatten(1)
        every = [self.log_density(flat, label) for label in range(self.groups)]
        return torch.stack(every, dim=1) + self.log_prior

    def classify(self, x: Tensor) -> Tensor:
        """Return the most likely label int64[B] of images, by Bayes' rule: p(y|x) ~ p(x|y) P(y).

        Raises:
            UserError: there are no labels.
        """
        if not self.num_classes:
            raise UserError(
                f"this {type(self).__name__} was fitted without labels and cannot classify: "
                "leave out model.num_classes=0"
            )
        return self.log_joint(x).argmax(dim=1)

    def _labels(self, y: Tensor | None, count: int) -> Tensor:
        """Return y, or group 0 `count` times; of a network to export `len(z)` is a constant."""
        if self.num_classes:
            return required(y)
        return torch.zeros(count, dtype=torch.int64, device=self.prior.device)


def uniform(z: Tensor) -> Tensor:
    """Return Phi(z): standard normal numbers as uniform ones, above 0 and at most 1.

    In products, sums and one quotient alone, which every runtime and processor rounds alike; erf
    each computes in its own way, and a bin or a state that holds 1/6,000 enlarges the difference.
    Right to 2e-7.

    Source: Eigen, unsupported SpecialFunctions, generic_fast_erf_float (the coefficients).
    """
    x = (z * math.sqrt(0.5)).clamp(-_ERF_ONE, _ERF_ONE)
    square = x * x
    erf = x * _polynomial(_ERF, square) / _polynomial(_ERF_BELOW, square)
    return ((1 + erf) * 0.5).clamp(torch.finfo(z.dtype).tiny, 1.0)


def _polynomial(coefficients: Sequence[float], x: Tensor) -> Tensor:
    value = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def choose(u: Tensor, probability: Tensor) -> Tensor:
    """Return the index[...] that u[...] in (0, 1] has in the distribution probability[..., K].

    It is the inverse of the cumulated distribution: index k where F(k - 1) < u <= F(k).
    """
    edges = probability.cumsum(dim=-1)[..., :-1]  # the last one has all that is left
    return (u[..., None] > edges).sum(dim=-1)
