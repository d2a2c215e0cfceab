"""Data sets whose modes are known: how many of them a generator finds, and how well."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.data.stacked import mode_index
from gan_lightning.metrics.diversity import class_shares, kl_divergence
from gan_lightning.metrics.features.classifier import FeatureNetwork, shipped_feature_network
from gan_lightning.pixels import to_uint8, to_unit_range

ENOUGH = 0.2  # of the samples that a mode would have if all had as many


@dataclass(frozen=True)
class PointModes:
    """`modes` and `high_quality` of points, as defined for the 25 Gaussians.

    A point within three standard deviations of a mode is of high quality; a mode is found if a
    fifth of its equal share of the samples is: 20 of 2,500 points for 25 modes.

    Source: Srivastava et al. 2017, VEEGAN, section 5.1; Lin et al. 2018, PacGAN, section 4.1.
    """

    centres: Tensor
    reach: float
    unit: str = "points"  # no network makes these scores

    @property
    def num_modes(self) -> int:
        return len(self.centres)

    def read(self, images: Tensor) -> Tensor:
        """Return the points [N, D], on the CPU, of images uint8[N, D, 1, 1] or in [-1, 1].

        The latter are rounded first: an image scores the same before and after it was in a file.
        """
        return to_unit_range(to_uint8(images).flatten(1).cpu())

    def scores(self, found: Tensor) -> dict[str, float]:
        """Return the scores of what was read of all images."""
        distance, nearest = torch.cdist(found, self.centres).min(dim=1)
        good = distance <= self.reach
        counts = torch.bincount(nearest[good], minlength=self.num_modes)
        enough = max(1.0, ENOUGH * len(found) / self.num_modes)
        modes = int((counts >= enough).sum())
        return {"modes": float(modes), "high_quality": good.float().mean().item()}


@dataclass(frozen=True)
class DigitModes:
    """`modes` and `reverse_kl`, KL(fakes' modes | reals') in nats, of stacked digits.

    A mode is the combination of the digits that the pinned classifier of MNIST reads in the
    channels; `reference` is the law that the reals are drawn from, float64[num_modes].

    Source: Srivastava et al. 2017, VEEGAN, section 5.1; Lin et al. 2018, PacGAN, section 4.1
    (26,000 samples, 1,000 modes).
    """

    network: FeatureNetwork
    reference: Tensor

    @property
    def unit(self) -> str:
        return self.network.unit

    @property
    def num_modes(self) -> int:
        return len(self.reference)

    def read(self, images: Tensor) -> Tensor:
        """Return the number of each image's mode, float[N, 1], on the CPU."""
        digits = self.network.embed(images.flatten(0, 1).unsqueeze(1)).predictions
        return mode_index(digits.view(len(images), -1))[:, None].float()

    def scores(self, found: Tensor) -> dict[str, float]:
        shares = class_shares(found[:, 0].long(), self.num_modes)
        reverse_kl = kl_divergence(shares, self.reference)
        return {"modes": float((shares > 0).sum()), "reverse_kl": reverse_kl}


ModeScorer = PointModes | DigitModes


def mode_scorer(data: DataModule, device: torch.device | str = "cpu") -> ModeScorer | None:
    """Return the scorer of a data set whose modes are known; None for the others."""
    centres, shares = data.centres(), data.mode_shares()
    if centres is not None:
        return PointModes(centres, data.reach)
    if shares is None:
        return None
    return DigitModes(shipped_feature_network("mnist").to(device), shares)
