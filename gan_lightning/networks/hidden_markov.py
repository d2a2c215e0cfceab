"""A hidden Markov model for each label, whose time runs down the rows of an image."""

import math
import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gan_lightning.networks.density import Density, choose, uniform
from gan_lightning.ranges import Count, Labels, Positive, validated

SHOWN = 20_000  # rows that choose where the fit starts


@validated
class HiddenMarkov(Density):
    """z[B, H + P] -> image: H coordinates walk through the states, a row each, P draw the pixels.

    A hidden state emits a row of W pixels in C channels, Gaussian with diagonal covariance, and
    moves to the next state. What is drawn is clipped to [-1, 1].

    Source: Rabiner 1989, A Tutorial on Hidden Markov Models, eqs. 19 to 21 (the forward
    algorithm), section III.C (Baum-Welch) and V.B (the least variance).

    Args:
        states: hidden states for each label.
        iterations: of Baum-Welch.
        floor: the least variance of a pixel in a state: one that is always black would make the
            density infinite, and every other image impossible.
    """

    needs: ClassVar[str] = "hmmlearn"
    start: Tensor  # P(first state) [K, S]
    transition: Tensor  # P(next state | state) [K, S, S]
    means: Tensor  # of a row in a state [K, S, C * W]
    variances: Tensor  # [K, S, C * W]

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        states: Count = 20,
        iterations: Count = 10,
        floor: Positive = 0.01,
    ) -> None:
        channels, height, width = image_shape
        super().__init__(height + math.prod(image_shape), image_shape, num_classes)
        self.states, self.iterations, self.floor = states, iterations, floor
        self.height, self.row = height, channels * width  # how many rows, how long they are
        self.register_buffer("start", torch.full((self.groups, states), 1 / states))
        self.register_buffer("transition", torch.full((self.groups, states, states), 1 / states))
        self.register_buffer("means", torch.zeros(self.groups, states, self.row))
        self.register_buffer("variances", torch.ones(self.groups, states, self.row))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        y, u = self._labels(y, len(z)), uniform(z[:, : self.height])
        path = [choose(u[:, 0], self.start[y])]
        for row in range(1, self.height):
            path.append(choose(u[:, row], self.transition[y, path[-1]]))
        state = torch.stack(path, dim=1)  # [B, H]
        noise = z[:, self.height :].unflatten(1, (self.height, self.row))
        rows = self.means[y[:, None], state] + self.variances[y[:, None], state].sqrt() * noise
        channels, _, width = self.image_shape
        return rows.unflatten(2, (channels, width)).transpose(1, 2).clamp(-1, 1)

    def fit_label(self, label: int, x: Tensor, seed: int) -> None:
        from hmmlearn.hmm import GaussianHMM  # slow imports, needed to fit alone
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        rows = self._rows(x).flatten(0, 1).double().numpy()
        # One added to each count: no step is impossible, and none is without an estimate.
        model = GaussianHMM(
            self.states, "diag", startprob_prior=2, transmat_prior=2, n_iter=1, init_params=""
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer kinds of rows than states
            clusters = KMeans(self.states, n_init=1, random_state=seed)
            model.means_ = clusters.fit(rows[:: 1 + len(rows) // SHOWN]).cluster_centers_
        model.startprob_ = np.full(self.states, 1 / self.states)
        model.transmat_ = np.full((self.states, self.states), 1 / self.states)
        model.covars_ = (rows.var(axis=0) + self.floor)[None].repeat(self.states, axis=0)
        for _ in range(self.iterations):
            model.fit(rows, [self.height] * len(x))
            variances = model.covars_.diagonal(axis1=1, axis2=2)
            model.covars_ = variances.clip(min=self.floor)
        self.start[label].copy_(torch.from_numpy(model.startprob_))
        self.transition[label].copy_(torch.from_numpy(model.transmat_))
        self.means[label].copy_(torch.from_numpy(model.means_))
        self.variances[label].copy_(torch.from_numpy(model.covars_.diagonal(axis1=1, axis2=2)))

    def log_density(self, x: Tensor, label: int) -> Tensor:
        emission = self._log_emission(self._rows(x), label)  # [B, H, S]
        transition = self.transition[label].log()
        alpha = self.start[label].log() + emission[:, 0]
        for row in range(1, self.height):
            reached = (alpha[:, :, None] + transition).logsumexp(dim=1)
            alpha = reached + emission[:, row]
        return alpha.logsumexp(dim=1)

    def _log_emission(self, rows: Tensor, label: int) -> Tensor:
        """Return the log density [B, H, S] of rows [B, H, C * W] in each state."""
        every = []
        for mean, variance in zip(self.means[label], self.variances[label], strict=True):
            off = ((rows - mean).square() / variance).sum(dim=2)
            every.append(-0.5 * (off + (2 * math.pi * variance).log().sum()))
        return torch.stack(every, dim=2)

    def _rows(self, x: Tensor) -> Tensor:
        """Return images [B, P] as rows [B, H, C * W]."""
        return x.unflatten(1, self.image_shape).transpose(1, 2).flatten(2)
