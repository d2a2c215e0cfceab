"""Toys: points of a line or a plane, with modes that are known."""

import math
from typing import Any

import torch
from torch import Tensor

from gan_lightning.data.base import DataModule
from gan_lightning.pixels import scatter, to_unit_range
from gan_lightning.ranges import Count, NonNegative, validated

SHOWN = 2000  # reals in a picture of them alone
TOLERANCE = 0.05  # around a mode without a width


@validated
class PointsDataModule(DataModule):
    """A mixture of equally likely Gaussians, drawn once: float[N, D, 1, 1] in [-1, 1].

    To the networks a point is an image of one pixel; its label is its mode. A subclass says
    where the modes are.

    Args:
        size: points of the training split.
        test_size: of the test split.
        std: of every mode, in each direction.
        channels: dimensions of the points.
        resolution: 1, the side of such an image.
        kwargs: as of `DataModule`.
    """

    dots = True

    def __init__(
        self,
        size: Count = 25_600,
        test_size: Count = 10_000,
        std: NonNegative = 0.02,
        channels: Count = 2,
        resolution: Count = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=f"{len(self.centres())} modes of width {std:g}", **kwargs)
        self.channels = channels
        self.resolution = resolution
        self.size = size
        self.test_size = test_size
        self.std = std
        self.reach = 3 * std or TOLERANCE

    @staticmethod
    def centres() -> Tensor:
        """Return the modes [K, D]."""
        raise NotImplementedError

    def picture(
        self, samples: Tensor | None = None, columns: int = 10, labels: Tensor | None = None
    ) -> Tensor:
        """Return samples as dots over as many reals; None: reals alone."""
        reals = self.images.images[: SHOWN if samples is None else len(samples)]
        return scatter(reals, [] if samples is None else [to_unit_range(samples)])

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Draw a split; it depends on its size alone, so that scores share their reals."""
        count, centres = self.size if train else self.test_size, self.centres()
        random = torch.Generator().manual_seed(0 if train else 1)
        labels = torch.randint(len(centres), (count,), generator=random)
        noise = torch.randn(count, centres.shape[1], generator=random)
        points = (centres[labels] + self.std * noise).clamp(-1, 1)
        return points[:, :, None, None], labels


class RingDataModule(PointsDataModule):
    """Eight Gaussians on a circle of radius 0.8.

    Source: Metz et al. 2017, Unrolled GANs, section 3.1 (there of radius 2 and width 0.02).
    """

    @staticmethod
    def centres() -> Tensor:
        angle = torch.arange(8) * (2 * math.pi / 8)
        return 0.8 * torch.stack([angle.cos(), angle.sin()], dim=1)


class GridDataModule(PointsDataModule):
    """25 Gaussians on a square grid, 0.4 apart; by default a twentieth of that wide.

    Source: Srivastava et al. 2017, VEEGAN, section 5.1.
    """

    @staticmethod
    def centres() -> Tensor:
        line = torch.arange(-2.0, 3.0) * 0.4
        return torch.cartesian_prod(line, line)


class DiracDataModule(PointsDataModule):
    """All reals are 0 on a line: the smallest GAN that can fail to converge.

    Source: Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?,
    section 2.
    """

    @staticmethod
    def centres() -> Tensor:
        return torch.zeros(1, 1)
