"""Frechet distances of feature distributions, computed by torchmetrics in float64."""

import math
from collections.abc import Iterable

from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance


class Given(nn.Module):
    """Takes the place of torchmetrics' feature network: the features are already computed."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


class FrechetDistance:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) between some reals and any number of fakes.

    Source: Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, eq. 6. It shrinks with
    the number of samples (Chong & Forsyth 2020): only compare equal counts. Of features [N, D].
    """

    def __init__(self, reals: Tensor) -> None:
        self.metric = FrechetInceptionDistance(
            Given(reals.shape[1]),
            reset_real_features=False,
            sync_on_compute=False,  # every device has all features: a sum counts them twice
        )
        self.metric.update(reals, real=True)  # its sums are float64

    def __call__(self, fakes: Tensor) -> float:
        """Return the distance of fakes[M, D]; NaN if there are fewer than 2 of them or of reals."""
        if len(fakes) < 2 or self.metric.real_features_num_samples < 2:
            return math.nan
        self.metric.reset()
        self.metric.update(fakes.double(), real=False)  # the result has the fakes' precision
        return max(0.0, self.metric.compute().item())


class ClassFrechetDistance:
    """One Frechet distance per class of reals[N, D] with labels[N]; their mean is the intra-FID.

    Source: Miyato & Koyama 2018, cGANs with Projection Discriminator, section 4.1.
    """

    def __init__(self, reals: Tensor, labels: Tensor, classes: list[int]) -> None:
        self.of_class = {label: FrechetDistance(reals[labels == label]) for label in classes}

    def __call__(self, fakes: Tensor, labels: Tensor) -> dict[int, float]:
        """Return class -> distance of fakes[M, D] with labels[M]; NaN if there are fewer than 2.

        The labels are those asked for, or the classifier's predictions if none were.
        """
        return {label: of(fakes[labels == label]) for label, of in self.of_class.items()}


def mean_of_known(values: Iterable[float]) -> float:
    """Return the mean of the values that are not NaN; NaN if all are."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
