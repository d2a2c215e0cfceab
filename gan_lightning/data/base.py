"""What all data modules share: batches, their order, the position in it, splits, class counts."""

from typing import Annotated, Any

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from gan_lightning.data.batches import EpochBatches, ImageTensors, balanced_share, loader
from gan_lightning.errors import UserError
from gan_lightning.ranges import Classes, Count, PositiveShare, Seed, Whole, number, validated

MOST_CLASSES = 10_000


class DataUnavailable(RuntimeError):
    """The data set is not on disk and cannot be downloaded."""


@validated
class DataModule(LightningDataModule):
    """Serves batches (sample[B, C, H, W], label[B] int64) of a set that is kept in memory.

    A subclass says where the samples come from, `load`, with `prepare_data` if they must be
    fetched first; how they look, `picture`; and where their modes are, if that is known:
    `centres` and `reach`, or `mode_shares`.

    Args:
        name: of the data set, as it stands in summaries and generator files.
        num_classes: how many labels the data set has; 0: none, or none that are wanted.
        batch_size: samples per device and update.
        batches_per_step: batches that a training step takes; the loader serves them as one.
        classes: keep these labels alone; None keeps all.
        validation: how many training samples to hold out.
        fraction: share of the other training samples to keep, the same of every class and at
            least one; the test split and the scores' reals stay whole.
        repeat: passes over the samples per epoch, for small sets.
        num_workers: of the loader; 0 is fastest for sets in memory.
        seed: of the order and of the split, at least 0.
        source: where the samples come from, in words.
    """

    name: str
    channels: int  # to the networks a sample is [channels, resolution, resolution]
    resolution: int
    remark = ""  # what the user should know of the files, once `prepare_data` has looked
    dots = False  # whether a sample is a point of a plane, and a picture holds thousands
    reach = 0.0  # how far from a centre a point is still of that mode

    def __init__(
        self,
        name: str,
        num_classes: Annotated[int, number(0, MOST_CLASSES + 1, whole=True)] = 10,
        batch_size: Count = 64,
        batches_per_step: Count = 1,
        classes: Classes | None = None,
        validation: Whole = 0,
        fraction: PositiveShare = 1.0,
        repeat: Count = 1,
        num_workers: Whole = 0,
        seed: Seed = 0,
        source: str = "",
    ) -> None:
        super().__init__()
        self.name = name
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
        """Return (samples[N, C, H, W], labels int64[N]) of the training or the test split."""
        raise NotImplementedError

    def picture(
        self, samples: Tensor | None = None, columns: int = 10, labels: Tensor | None = None
    ) -> Tensor:
        """Return uint8[C, H, W] of samples, uint8 or in [-1, 1], or reals; labels colour dots."""
        raise NotImplementedError

    @staticmethod
    def centres() -> Tensor | None:
        """Return the modes [K, D], if they are known places."""
        return None

    def mode_shares(self) -> Tensor | None:
        """Return float64[K], how likely each mode is, if they are combinations of digits."""
        return None

    def table(self) -> dict[str, Any]:
        """Return the columns, for a generator file: `Schema.plain`; {} if samples are no rows."""
        return {}

    def class_names(self) -> list[str]:
        """Return what the labels mean, 0 first: the folders of images that have them."""
        return [str(label) for label in range(self.num_classes)]

    def split(self, train: bool) -> ImageTensors:
        """Return a whole split with the chosen classes."""
        return self.chosen(ImageTensors(*self.load(train)))

    def training_split(self) -> ImageTensors:
        """Return what `setup` divides: the whole training split, if it fits into memory."""
        return self.split(train=True)

    def chosen(self, whole: ImageTensors) -> ImageTensors:
        """Return the chosen classes of a split; UserError if labels do not fit, or none is left."""
        check_labels(self.name, len(whole), whole.labels, self.num_classes)
        if not self.num_classes:
            whole.labels = torch.zeros_like(whole.labels)
            return whole
        keep = torch.isin(whole.labels, torch.tensor(self.classes))
        if not keep.any():
            raise UserError(f"data.classes={self.classes}: {self.name} has no image of these")
        return whole.rows(keep.nonzero()[:, 0])

    def setup(self, stage: str | None = None) -> None:
        """Load the training split and hold out the validation samples; same on every rank."""
        if self.train_set is not None:
            return
        whole = self.training_split()
        order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(self.seed))
        held_out, kept = order[: self.validation].sort()[0], order[self.validation :].sort()[0]
        self.validation_set = ImageTensors(*whole[held_out])
        if self.fraction < 1:
            kept = kept[balanced_share(whole.labels[kept], self.fraction, self.seed)]
        self.train_set = whole.rows(kept)

    @property
    def images(self) -> ImageTensors:
        """The training samples, once `setup` has run."""
        if self.train_set is None:
            raise RuntimeError("call setup() before asking for images")
        return self.train_set

    def class_counts(self) -> list[int]:
        """Return how many training samples each label has, by label: P(Y) times a constant."""
        if not self.classes:  # a data set without labels
            return []
        counts = torch.bincount(self.images.labels, minlength=max(self.classes) + 1)
        return counts[self.classes].tolist()

    def train_dataloader(self) -> DataLoader:
        """Serve the training samples in an order that (seed, epoch) alone decides.

        On a GPU that has room for them they lie there, and no batch is copied.
        """
        trainer = self.trainer
        samples = self.images.near(trainer.strategy.root_device) if trainer else self.images
        batches = EpochBatches(
            len(self.images),
            self.loader_batch_size,
            seed=self.seed,
            repeat=self.repeat,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
            epoch=self._resume_at["epoch"],
            start=self._resume_at["batch"],
            device=samples.images.device,
            shuffled=self.images.shuffled,
        )
        return loader(samples, batches, self.num_workers)

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
        """Serve the held-out samples in order; an empty list if none are held out."""
        if not self.validation_set:
            return []
        chunks = list(torch.arange(len(self.validation_set)).split(1000))
        return loader(self.validation_set, chunks, self.num_workers)


def check_labels(name: str, count: int, labels: Tensor | None, num_classes: int) -> None:
    """Raise UserError if a split is empty or its labels int64[N] do not fit; 0 classes: none do."""
    if not count:
        raise UserError(f"{name} has too few images: none is left to train or to test on")
    if labels is not None and len(labels) != count:
        raise UserError(f"{name}: {count:,} images but {len(labels):,} labels")
    if not num_classes:
        return
    if labels is None:
        raise UserError(
            f"data.num_classes={num_classes}, but {name} has no labels: "
            "leave it out, or set it to 0"
        )
    if num_classes > MOST_CLASSES:
        raise UserError(
            f"{name} has more than {MOST_CLASSES:,} classes: data.num_classes=0 ignores them"
        )
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if len(wrong):
        raise UserError(
            f"{name} has the label {int(wrong[0])}, but data.num_classes={num_classes} allows 0 to "
            f"{num_classes - 1}: raise it, or mend the labels"
        )
