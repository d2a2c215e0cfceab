"""A hidden Markov model for each label, whose time runs down the rows of an image."""

import math
import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.networks.density import Density, choose, uniform
from gan_lightning.ranges import Count, Labels, Positive, validated


@validated
class HiddenMarkov(Density):
    """z[B, H + P] -> image: H coordinates walk through the states, a row each, P draw the pixels.

    A hidden state emits a row of W pixels in C channels, Gaussian with diagonal covariance. From
    a state of one band a step leads to any of the same band or of the next below it, as in the
    left-to-right models of speech: a model that could go anywhere would not know how far down the
    image it is. What is drawn is clipped to [-1, 1].

    Source: Rabiner 1989, A Tutorial on Hidden Markov Models, eqs. 19 to 21 (the forward
    algorithm), sections III.C (Baum-Welch), IV.B (left to right) and V.B (the least variance).

    Args:
        bands: places from top to bottom that a state can be at; at most H.
        kinds: states of a band: kinds of rows there.
        images: most images of a label that are fitted: Baum-Welch takes milliseconds for each.
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
        bands: Count = 14,
        kinds: Count = 3,
        images: Count = 500,
        iterations: Count = 5,
        floor: Positive = 0.1,
    ) -> None:
        channels, height, width = image_shape
        super().__init__(height + math.prod(image_shape), image_shape, num_classes)
        self.bands, self.kinds = min(bands, height), kinds
        self.images, self.iterations, self.floor = images, iterations, floor
        self.height, self.row = height, channels * width  # how many rows, how long they are
        states = self.bands * kinds
        start, transition = self._topology()
        self.register_buffer("start", start.repeat(self.groups, 1))
        self.register_buffer("transition", transition.repeat(self.groups, 1, 1))
        self.register_buffer("means", torch.zeros(self.groups, states, self.row))
        self.register_buffer("variances", torch.ones(self.groups, states, self.row))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        y, u = self._labels(y, z.shape[0]), uniform(z[:, : self.height])
        path = [choose(u[:, 0], self.start[y])]
        for row in range(1, self.height):
            path.append(choose(u[:, row], self.transition[y, path[-1]]))
        state = torch.stack(path, dim=1)  # [B, H]
        noise = z[:, self.height :].unflatten(1, (self.height, self.row))
        rows = self.means[y[:, None], state] + self.variances[y[:, None], state].sqrt() * noise
        channels, _, width = self.image_shape
        return rows.unflatten(2, (channels, width)).transpose(1, 2).clamp(-1, 1)

    def fit_label(self, label: int, x: Tensor, seed: int) -> None:
        from hmmlearn.hmm import GaussianHMM  # slow import, needed to fit alone

        rows = self._rows(x[: self.images]).double().numpy()  # [N, H, C * W]
        start, transition = (part.double().numpy() for part in self._topology())
        model = GaussianHMM(
            len(start),
            "diag",
            # One more of each step that is possible: none is without an estimate.
            startprob_prior=1.0 + (start > 0),
            transmat_prior=1.0 + (transition > 0),
            n_iter=1,
            init_params="",
        )
        model.startprob_, model.transmat_ = start, transition
        model.means_, model.covars_ = self._emissions(rows, seed)
        for _ in range(self.iterations):
            model.fit(rows.reshape(-1, self.row), [self.height] * len(rows))
            variances = model.covars_.diagonal(axis1=1, axis2=2)
            model.covars_ = variances.clip(min=self.floor)
        variances = model.covars_.diagonal(axis1=1, axis2=2).copy()
        found = (model.startprob_, model.transmat_, model.means_, variances)
        buffers = (self.start, self.transition, self.means, self.variances)
        for buffer, estimate in zip(buffers, found, strict=True):
            buffer[label].copy_(torch.from_numpy(estimate))

    def _topology(self) -> tuple[Tensor, Tensor]:
        """Return P(first state) [S] and P(next state | state) [S, S] before a fit.

        What is 0 there stays so.
        """
        band = torch.arange(self.bands).repeat_interleave(self.kinds)
        step = band[None] - band[:, None]
        allowed = ((step == 0) | (step == 1)).float()
        return (band == 0) / self.kinds, allowed / allowed.sum(dim=1, keepdim=True)

    def _emissions(self, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return means and variances [S, C * W] that the fit starts from: clusters of each band."""
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        means, variances = [], []
        for band in range(self.bands):
            first, end = (self.height * b // self.bands for b in (band, band + 1))
            inside = rows[:, first:end].reshape(-1, self.row)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # all rows there are equal
                means.append(
                    KMeans(self.kinds, n_init=1, random_state=seed).fit(inside).cluster_centers_
                )
            variances += [inside.var(axis=0) + self.floor] * self.kinds
        return np.concatenate(means), np.stack(variances)

    def log_density(self, x: Tensor, label: int) -> Tensor:
        emission = self._log_emission(self._rows(x), label)  # [B, H, S]
        within, below = self._steps(label)
        emission = emission.unflatten(2, (self.bands, self.kinds))
        alpha = self.start[label].log().unflatten(0, (self.bands, self.kinds)) + emission[:, 0]
        for row in range(1, self.height):  # of every band: the two that lead to it
            above = F.pad(alpha[:, :-1], (0, 0, 1, 0), value=-math.inf)
            paths = torch.cat([alpha[..., None] + within, above[..., None] + below], dim=2)
            alpha = paths.logsumexp(dim=2) + emission[:, row]
        return alpha.flatten(1).logsumexp(dim=1)

    def _steps(self, label: int) -> tuple[Tensor, Tensor]:
        """Return log P(next | state) [bands, kinds, kinds]: within a band, and from the one above.

        These are the only steps that there are, a few of the S x S.
        """
        shape = (self.bands, self.kinds, self.bands, self.kinds)
        blocks = self.transition[label].log().view(shape).transpose(1, 2)
        band = torch.arange(self.bands, device=blocks.device)
        return blocks[band, band], blocks[(band - 1).clamp(min=0), band]

    def _log_emission(self, rows: Tensor, label: int) -> Tensor:
        """Return the log density [B, H, S] of rows [B, H, C * W] in each state."""
        means, variances = self.means[label], self.variances[label]
        off = rows.square() @ (1 / variances).T - 2 * rows @ (means / variances).T
        constant = means.square() / variances + (2 * math.pi * variances).log()
        return -0.5 * (off + constant.sum(dim=1))

    def _rows(self, x: Tensor) -> Tensor:
        """Return images [B, P] as rows [B, H, C * W]."""
        return x.unflatten(1, self.image_shape).transpose(1, 2).flatten(2)
