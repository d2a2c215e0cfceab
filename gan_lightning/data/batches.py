"""Which images are in which batch: a pure function of (seed, epoch, rank)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from gan_lightning.system.portable import FORK
from gan_lightning.system.signals import calm_worker, signals_held

CPU = torch.device("cpu")


class ImageTensors(Dataset):
    """uint8 images[N, C, H, W] and int64 labels[N]; indexed by a whole batch of indices at once."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor) -> tuple[Tensor, Tensor]:
        return self.images.index_select(0, index), self.labels.index_select(0, index)

    def near(self, device: torch.device) -> "ImageTensors":
        """Return a copy on a GPU, if a quarter of its free memory holds it; else these."""
        size = self.images.nbytes + self.labels.nbytes
        if device.type == "cpu" or 4 * size > free_memory(device):
            return self
        return ImageTensors(self.images.to(device), self.labels.to(device))

    def rows(self, index: Tensor) -> "ImageTensors":
        """Return some rows, in ascending order; all of them are not copied."""
        return self if len(index) == len(self) else ImageTensors(*self[index])

    def shuffled(self, random: np.random.Generator) -> np.ndarray:
        """Return all rows in a random order that is quick to read: here, any."""
        return random.permutation(len(self))


def free_memory(device: torch.device) -> int:
    """Return the free bytes of a GPU with a memory of its own; 0 of another device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


@dataclass(eq=False)
class EpochBatches(Sampler[Tensor]):
    """Batches of indices; global batch k of an epoch is rows k*G .. (k+1)*G of one permutation.

    The permutation (or `repeat` of them in a row), that of `shuffled` if it is given, depends on
    (seed, epoch) alone; rank r of R takes the r-th of R equal parts of each global batch, G = R *
    batch_size. Incomplete global batches are dropped. Iteration starts at batch `start`, so that a
    run resumed within an epoch sees the batches it had not seen. The order of an epoch goes to
    `device` at once.
    """

    num_images: int
    batch_size: int
    seed: int = 0
    repeat: int = 1
    rank: int = 0
    world_size: int = 1
    epoch: int = 0
    start: int = 0
    device: torch.device = CPU
    shuffled: Callable[[np.random.Generator], np.ndarray] | None = None

    def __len__(self) -> int:
        return self.num_images * self.repeat // (self.batch_size * self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls this before every epoch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __iter__(self) -> Iterator[Tensor]:
        random = np.random.default_rng(np.random.SeedSequence([self.seed, self.epoch]))
        shuffled = self.shuffled or (lambda random: random.permutation(self.num_images))
        orders = [shuffled(random) for _ in range(self.repeat)]
        order = torch.from_numpy(np.concatenate(orders)).to(self.device)
        for batch in range(self.start, len(self)):
            first = (batch * self.world_size + self.rank) * self.batch_size
            yield order[first : first + self.batch_size]


class Loader(DataLoader):
    """A DataLoader that starts its workers with signals blocked, so that none ends half-way."""

    def __iter__(self) -> Any:
        with signals_held():
            return super().__iter__()


def loader(samples: ImageTensors, batches: Any, num_workers: int) -> Loader:
    """Return what serves batches of indices, each as one index_select."""
    # A worker has nothing to do where the samples lie on a GPU, and could not reach them.
    workers = num_workers if samples.images.device.type == "cpu" else 0
    return Loader(
        samples,
        sampler=batches,
        batch_size=None,
        num_workers=workers,
        persistent_workers=False,
        worker_init_fn=calm_worker,
        # A spawned rank would spawn its workers too: seconds of imports every epoch, in which a
        # signal to all kills them.
        multiprocessing_context="fork" if workers and FORK else None,
    )


def balanced_share(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Return the sorted rows of a random share of every class: at least one, else rounded."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    groups = [order[labels[order] == label] for label in labels.unique()]
    chosen = [group[: max(1, round(fraction * len(group)))] for group in groups]
    return torch.cat([order[:0], *chosen]).sort()[0]
