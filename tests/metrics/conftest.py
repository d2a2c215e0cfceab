"""The shipped feature network of the digits, and reals in its space."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gan_lightning.data import DigitsDataModule
from gan_lightning.metrics.features.classifier import (
    Embedded,
    FeatureNetwork,
    shipped_feature_network,
)
from gan_lightning.metrics.reals import RealStatistics


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("GAN_CACHE_DIR")
    os.environ["GAN_CACHE_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["GAN_CACHE_DIR"]
    else:
        os.environ["GAN_CACHE_DIR"] = before


@pytest.fixture(scope="session")
def digits() -> DigitsDataModule:
    return DigitsDataModule(name="digits")


@pytest.fixture(scope="session")
def network(cache: Path) -> FeatureNetwork:
    """The network that commands take too; what they cache of the reals is this session's own."""
    return shipped_feature_network("digits")


@dataclass
class Halves:
    """The training split in two: reals to compare with, and as many that play the fakes."""

    reals: RealStatistics
    images: Tensor
    labels: Tensor
    embedded: Embedded


@pytest.fixture(scope="session")
def halves(digits: DigitsDataModule, network: FeatureNetwork) -> Halves:
    split = digits.split(train=True)
    order = torch.randperm(1500, generator=torch.Generator().manual_seed(0))
    one, other = order[:750], order[750:]
    embedded = network.embed(split.images)
    reals = RealStatistics("-", embedded[one], split.labels[one], 10, list(range(10)))
    return Halves(reals, split.images[other], split.labels[other], embedded[other])
