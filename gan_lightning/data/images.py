"""The data module that all data sets share, and the embedded digits."""

import sys
from collections.abc import Sequence

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from gan_lightning.data.batches import EpochBatches, ImageTensors, Loader, check_images
from gan_lightning.errors import UserError
from gan_lightning.pixels import to_unit_range
from gan_lightning.system.signals import calm_worker

FORK = sys.platform == "linux"  # elsewhere it is not safe


class ImageDataModule(LightningDataModule):
    """Serves batches (image[B, C, H, W] float in [-1, 1] on the device, label[B] int64).

    A subclass says where the images come from: `load(train) -> (uint8[N, C, H, W], int64[N])`,
    and `prepare_data` if they must be fetched first.

    Args:
        name: of the data set, as it stands in summaries and generator files.
        resolution: side of the square images; others are resized (28 to 32: padded).
        channels: of the images.
        num_classes: how many labels the data set has; 0: none, or none that are wanted.
        batch_size: images per device and D update.
        batches_per_step: D updates per loop body; the loader serves them as one batch.
        classes: keep these labels alone; None keeps all.
        validation: how many training images to hold out.
        fraction: share of the other training images to keep, the same of every class and at least
            one; the test split and the scores' reals stay whole.
        repeat: passes over the images per epoch, for small sets.
        num_workers: of the loader; 0 is fastest for sets in memory.
        seed: of the order and of the split, at least 0.
        source: where the images come from, in words.
    """

    remark = ""  # what the user should know of the files, once `prepare_data` has looked

    def __init__(
        self,
        name: str,
        resolution: int = 28,
        channels: int = 1,
        num_classes: int = 10,
        batch_size: int = 64,
        batches_per_step: int = 1,
        classes: Sequence[int] | None = None,
        validation: int = 0,
        fraction: float = 1.0,
        repeat: int = 1,
        num_workers: int = 0,
        seed: int = 0,
        source: str = "",
    ) -> None:
        super().__init__()
        self.name = name
        self.resolution = resolution
        self.channels = channels
        self.num_classes = num_classes
        self.classes = sorted(range(num_classes) if classes is None else classes)
        self.batch_size = batch_size
        self.loader_batch_size = batch_size * batches_per_step
        self.validation = validation
        self.fraction = fraction
        self.repeat = repeat
        self.num_workers = num_workers
        self.seed = seed
        self.source = source
        self.train_set: ImageTensors | None = None
        self.validation_set: ImageTensors | None = None
        self._resume_at = {"epoch": 0, "batch": 0}

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return (images uint8[N, C, H, W], labels int64[N]) of the training or the test split."""
        raise NotImplementedError

    def split(self, train: bool) -> ImageTensors:
        """Return a whole split with the chosen classes at the chosen resolution."""
        images, labels = self.load(train)
        check_images(str(self.name), images, labels, self.num_classes)
        if not self.num_classes:
            return ImageTensors(resize(images, self.resolution), torch.zeros_like(labels))
        keep = torch.isin(labels, torch.tensor(self.classes))
        if not keep.any():
            raise UserError(f"data.classes={self.classes}: {self.name} has no image of these")
        return ImageTensors(resize(images[keep], self.resolution), labels[keep])

    def setup(self, stage: str | None = None) -> None:
        """Load the training split and hold out the validation images; same on every rank."""
        if self.train_set is not None:
            return
        whole = self.split(train=True)
        order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(self.seed))
        held_out, kept = order[: self.validation].sort()[0], order[self.validation :].sort()[0]
        self.validation_set = ImageTensors(*whole[held_out])
        if self.fraction < 1:
            kept = kept[balanced_share(whole.labels[kept], self.fraction, self.seed)]
        self.train_set = ImageTensors(*whole[kept])

    @property
    def images(self) -> ImageTensors:
        """The training images.

        Raises:
            RuntimeError: `setup` has not run.
        """
        if self.train_set is None:
            raise RuntimeError("call setup() before asking for images")
        return self.train_set

    def class_counts(self) -> list[int]:
        """Return how many training images each label has, by label: P(Y) times a constant."""
        if not self.classes:  # a data set without labels
            return []
        counts = torch.bincount(self.images.labels, minlength=max(self.classes) + 1)
        return counts[self.classes].tolist()

    def train_dataloader(self) -> DataLoader:
        """Serve the training images in an order that (seed, epoch) alone decides."""
        trainer = self.trainer
        batches = EpochBatches(
            len(self.images),
            self.loader_batch_size,
            seed=self.seed,
            repeat=self.repeat,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )
        batches.epoch, batches.start = self._resume_at["epoch"], self._resume_at["batch"]
        return self._loader(self.images, batches)

    def state_dict(self) -> dict[str, int]:
        """Return the position in the data, for the checkpoint."""
        if self.trainer is None:
            return dict(self._resume_at)
        loop, epoch = self.trainer.fit_loop.epoch_loop, self.trainer.current_epoch
        batch = loop.batch_progress.current.processed  # type: ignore[attr-defined]  # it has
        if batch >= self.trainer.num_training_batches:  # workers fetch ahead of `set_epoch`
            epoch, batch = epoch + 1, 0
        return {"epoch": epoch, "batch": batch}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on at that position: the same permutation, without the batches already seen."""
        self._resume_at = dict(state_dict)

    def val_dataloader(self) -> DataLoader | list:
        """Serve the held-out images in order; an empty list if none are held out."""
        if not self.validation_set:
            return []
        chunks = list(torch.arange(len(self.validation_set)).split(1000))
        return self._loader(self.validation_set, chunks)

    def _loader(self, images: ImageTensors, batches: EpochBatches | list[Tensor]) -> DataLoader:
        return Loader(
            images,
            sampler=batches,  # batches of indices, so that a batch is one index_select
            batch_size=None,
            num_workers=self.num_workers,
            persistent_workers=False,
            worker_init_fn=calm_worker,
            # A spawned rank would spawn its workers too: seconds of imports every epoch, in
            # which a signal to all kills them.
            multiprocessing_context="fork" if self.num_workers and FORK else None,
        )

    def on_after_batch_transfer(self, batch: Sequence[Tensor], _: int) -> tuple[Tensor, Tensor]:
        """Scale on the device: uint8 -> (0, 1) -> (-1, 1); floats are there already."""
        image, label = batch
        return to_unit_range(image), label


def balanced_share(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Return the sorted rows of a random share of every class: at least one, else rounded."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    groups = [order[labels[order] == label] for label in labels.unique()]
    chosen = [group[: max(1, round(fraction * len(group)))] for group in groups]
    return torch.cat([order[:0], *chosen]).sort()[0]


def resize(images: Tensor, resolution: int) -> Tensor:
    """Bring uint8[N, C, H, W] to that resolution: 28 to 32 by padding, else bicubic."""
    size = images.shape[-1]
    if size == resolution:
        return images
    if (size, resolution) == (28, 32):
        return F.pad(images, (2, 2, 2, 2))
    scaled = F.interpolate(
        images.float(), (resolution, resolution), mode="bicubic", antialias=size > resolution
    )
    return scaled.round().clamp(0, 255).to(torch.uint8)
