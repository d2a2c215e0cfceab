"""Statistics of the real images that scores need: computed once, kept on disk."""

import json
from dataclasses import dataclass, field
from functools import cached_property

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.metrics.features.cache import cache_folder, fingerprint
from gan_lightning.metrics.features.classifier import Embedded, FeatureNetwork
from gan_lightning.metrics.frechet import ClassFrechetDistance, FrechetDistance
from gan_lightning.metrics.neighbours import Radii, radii
from gan_lightning.system.files import write_once


@dataclass(frozen=True)
class RealStatistics:
    """The reals of one split in one feature space."""

    fingerprint: str  # of the pixels and labels
    embedded: Embedded  # features and logits of all images, in the data set's order
    labels: Tensor  # int64[N]
    num_classes: int  # labels of the data set
    classes: list[int]  # those that are in use
    _radii: dict[int, Radii] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def unit(self) -> str:
        return self.embedded.unit

    @cached_property
    def frechet(self) -> FrechetDistance:
        return FrechetDistance(self.embedded.features)

    @cached_property
    def class_frechet(self) -> ClassFrechetDistance:
        return ClassFrechetDistance(self.embedded.features, self.labels, self.classes)

    @cached_property
    def order(self) -> Tensor:
        """A permutation, always the same: its beginnings are the random subsets."""
        return torch.randperm(len(self), generator=torch.Generator().manual_seed(0))

    def subset(self, count: int) -> Embedded:
        """Return `count` random images, always the same ones; all if there are fewer."""
        return self.embedded[self.order[:count]]

    def radii(self, count: int) -> Radii:
        """Return the neighbourhoods of `subset(count)`, computed once."""
        if count not in self._radii:
            self._radii[count] = radii(self.subset(count).features)
        return self._radii[count]


def real_statistics(
    data: DataModule, network: FeatureNetwork, train: bool = True
) -> RealStatistics:
    """Return the statistics of a whole split, from the cache if they are there.

    The file is `reals-<fingerprint of the images>-<unit>.safetensors` in the cache folder, so it is
    never taken for that of other images or another network. Two processes may do this at once.
    The data set's `setup` need not have run.
    """
    split = data.split(train)
    mark = fingerprint(split.images, split.labels)
    path = cache_folder(data) / f"reals-{mark}-{network.unit}.safetensors"
    if path.is_file():
        with safe_open(path, framework="pt") as file:
            unit = json.loads(file.metadata()["gan_lightning_reals"])["unit"]
            embedded = Embedded(file.get_tensor("features"), file.get_tensor("logits"), unit)
    else:
        embedded = network.embed(split.images)
        tensors = {"features": embedded.features, "logits": embedded.logits}
        text = {"gan_lightning_reals": json.dumps({"unit": embedded.unit})}
        write_once(path, lambda temporary: save_file(tensors, temporary, metadata=text))
    return RealStatistics(mark, embedded, split.labels, data.num_classes, data.classes)
