"""Densities that are fitted, not trained: one pass over the images, no gradient, no epochs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from tqdm import tqdm

from gan_lightning.data import DataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.data.held_out import held_out
from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator
from gan_lightning.networks.density import Density
from gan_lightning.ranges import Count, Seed, validated
from gan_lightning.system.signals import SIGNALS
from gan_lightning.training.base import Batch, GenerativeModule

MEASURED = 10_000  # images that a curve's mean is of, at most
CHUNK = 500  # images at a time


@validated
class FitModule(GenerativeModule):
    """Fits a `Density` to the images of one pass, at its last batch.

    The batches before are counted alone. What is fitted are the different images of the pass,
    read from the data module once more: so a run that goes on within the pass fits what a whole
    one does, and `data.repeat` changes nothing. The average is a copy.

    The curves have one point: the mean log p(x|y) of training and of held-out images, in nats per
    pixel, and the share of held-out labels that Bayes' rule finds.

    Args:
        generator: the density.
        seed, log_every_n_images: see `GenerativeModule`.

    Raises:
        UserError: the generator is no density, or the library that fits it is not installed.
    """

    made_of: ClassVar[dict[str, str]] = {
        "generator": "model.generator",
        "seed": "seed",
        "log_every_n_images": "log_every_n_images",
    }
    curves: ClassVar[tuple[str, ...]] = (
        *("log_p(train)", "log_p(held-out)", "accuracy/bayes", *GenerativeModule.curves),
    )
    fixed: ClassVar[dict[str, Any]] = {"trainer.max_epochs": 1, "trainer.max_time": None}
    one_device: ClassVar[bool] = True

    def __init__(
        self, generator: Generator, seed: Seed = 0, log_every_n_images: Count = 3200
    ) -> None:
        name = type(generator).__name__
        if not isinstance(generator, Density):
            raise UserError(
                f"FitModule fits densities, and model.generator={name} is none: choose "
                "model=naive_bayes, model=gmm or model=hmm"
            )
        if find_spec(generator.needs) is None:
            raise UserError(
                f"{name} is fitted by {generator.needs}, which is not installed: "
                "pip install -c constraints.txt -e '.[lecture]'"
            )
        shared: dict[str, Any] = {"seed": seed, "log_every_n_images": log_every_n_images}
        super().__init__(generator, {}, ema_half_life=0.0, **shared)

    @property
    def density(self) -> Density:
        return cast(Density, self.generator)

    def on_fit_start(self) -> None:
        """Multiply exactly: log p is a small difference of large numbers, too small for TF32."""
        super().on_fit_start()
        torch.set_float32_matmul_precision("highest")

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Count a batch; after the last one, fit."""
        self.end_step(images=len(batch[0]))
        if self.trainer.is_last_batch:
            with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
                self.fit()

    def fit(self) -> None:
        """Fit the density to the images of the pass, copy it to the average, draw the curves."""
        data: DataModule = self.trainer.datamodule  # type: ignore[attr-defined]  # a connector's
        images, labels = data.on_after_batch_transfer(self.shown(data), 0)
        density = self.density
        density.fit(images, labels, self.seed, self.bar)
        self.average.update(density, self.images_seen, images=0)
        curves = self.measured(density, data, images, labels)
        for logger in self.loggers:
            logger.log_metrics(curves, step=self.images_seen)
        self.print("fitted: " + ", ".join(f"{name}={value:.4g}" for name, value in curves.items()))

    def shown(self, data: DataModule) -> tuple[Tensor, Tensor]:
        """Return the different images of the pass, and labels, as they are in memory."""
        loader: Any = self.trainer.train_dataloader
        # A resumed run began later; on a GPU the loader's images are a copy.
        order = replace(loader.sampler, start=0, device=torch.device("cpu"))
        batches = islice(order, int(self.trainer.num_training_batches))
        return data.images[torch.cat(list(batches)).unique()]

    def bar(self, labels: Iterable[int]) -> Iterator[int]:
        """Yield the labels; on a terminal a bar counts them. A signal ends it between two."""
        hidden = None if self.trainer.progress_bar_callback else True  # None: unless a terminal
        for label in tqdm(labels, "fitting", unit=" labels", leave=False, disable=hidden):
            if SIGNALS.status:  # nothing is fitted yet that could be kept
                raise SystemExit(SIGNALS.status)
            yield label

    def measured(
        self, density: Density, data: DataModule, images: Tensor, labels: Tensor
    ) -> dict[str, float]:
        """Return the curves' only points, of at most `MEASURED` images each."""
        curves = {"log_p(train)": self._log_p(density, _some(images, labels))}
        others = held_out(data)
        if len(others):
            known = data.on_after_batch_transfer(others[torch.arange(len(others))], 0)
            some = _some(*known)
            curves["log_p(held-out)"] = self._log_p(density, some)
            if density.num_classes:
                right = [density.classify(x) == y for x, y in self._chunks(some)]
                curves["accuracy/bayes"] = torch.cat(right).float().mean().item()
        return curves

    def _log_p(self, density: Density, images: tuple[Tensor, Tensor]) -> float:
        """Return the mean log p(x|y) of images, in nats per pixel."""
        found = torch.cat([density.log_prob(x, y) for x, y in self._chunks(images)])
        return found.mean().item() / density.size

    def _chunks(self, images: tuple[Tensor, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in zip(*(part.split(CHUNK) for part in images), strict=True):
            yield x.to(self.device), y.to(self.device)

    def lr(self, name: str = "") -> float:
        """Return 0: nothing has a learning rate."""
        return 0.0


def _some(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return `MEASURED` images and labels, always the same ones, or all if there are fewer."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:MEASURED]
    return ImageTensors(images, labels)[order]
