"""Scores of the averaged generator during training."""

import math
from collections.abc import Iterator
from typing import Annotated

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from gan_lightning.callbacks.context import context
from gan_lightning.data import DataModule
from gan_lightning.metrics import Embedded, cheap_scores, feature_network, real_statistics
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.modes import ModeScorer, mode_scorer
from gan_lightning.metrics.reals import RealStatistics
from gan_lightning.metrics.tables import TableScorer, table_scorer
from gan_lightning.networks.base import Generator
from gan_lightning.ranges import Count, Seed, number, validated
from gan_lightning.sampling.draw import CHUNK, sample_chunk

Neighbours = Annotated[int, number(6, whole=True)]  # the scores look at the five nearest


@validated
class LiveScores(Callback):
    """Scores the averaged generator as evaluate.py does, against the training split.

    The curves `score/fid`, `score/precision`, `score/recall`, ... go to all loggers on the
    images_seen axis; the latest are in `module.scores`. Several devices share the samples;
    since sample i depends on (seed, i) alone, their scores are those of one device. Data sets
    whose modes are known have `score/modes` and `score/high_quality` or `score/reverse_kl`;
    tables have `score/ks`, `score/correlation` and `score/gap`; other data sets without labels have
    no scores.
    """

    def __init__(
        self,
        every_n_epochs: Count = 1,
        num_samples: Neighbours = 10_000,  # FID falls with it, so compare at one number only
        neighbours: Neighbours = 2_000,  # how many samples precision and recall look at
        seed: Seed = 0,
    ) -> None:
        self.every_n_epochs = every_n_epochs
        self.num_samples = num_samples
        self.neighbours = neighbours
        self.seed = seed
        self._network: FeatureNetwork | None = None
        self._reals: RealStatistics | None = None
        self._own: ModeScorer | TableScorer | None = None  # of the data set alone

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Get the feature network and the reals; the first process may have to make them."""
        _, data = context(trainer, pl_module)
        self._own = table_scorer(data) or mode_scorer(data, trainer.strategy.root_device)
        if self._own:
            return
        if not data.num_classes:  # no labels, so no classifier in whose features to score
            pl_module.print(f"no scores: {data.name} has no labels to train a feature network with")
            return
        if trainer.is_global_zero:
            real_statistics(data, feature_network(data))
        trainer.strategy.barrier()
        self._network = feature_network(data).to(trainer.strategy.root_device)
        self._reals = real_statistics(data, self._network)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.should_stop
        if not (self._own or self._reals):
            return
        if not last and (trainer.current_epoch + 1) % self.every_n_epochs:
            return
        module, data = context(trainer, pl_module)
        # Labels as often as the data has them: in turn they are another P(Y), and FID sees that.
        known = (data.classes, data.class_counts()) if module.generator.num_classes else ([], [])
        scores = self._scores(trainer, module.average.generator, *known)
        module.scores = {f"score/{name}": value for name, value in scores.items()}
        module.course.add(
            module.scores, module.images_seen, how=f"{self.num_samples} samples, seed {self.seed}"
        )
        for logger in trainer.loggers:
            logger.log_metrics(module.scores, step=module.images_seen)

    @property
    def unit(self) -> str:
        """The unit of the scores, once the training began; "" of data without a known one."""
        return self._network.unit if self._network else getattr(self._own, "unit", "")

    def floors(self, data: DataModule) -> tuple[dict[str, float], int]:
        """Return the scores of held-out reals, and how many: as the fakes, or as many as there are.

        There are none, ({}, 0), before the training began and for data without scores.
        """
        if self._own:
            held_out = data.split(train=False).images[: self.num_samples]
            read = torch.cat([self._own.read(part) for part in held_out.split(CHUNK)])
            return self._own.scores(read), len(read)
        if self._network is None or self._reals is None:
            return {}, 0
        reals = real_statistics(data, self._network, train=False).subset(self.num_samples)
        return cheap_scores(reals, self._reals, self.neighbours), len(reals)

    def _scores(
        self, trainer: Trainer, generator: Generator, labels: list[int], counts: list[int]
    ) -> dict[str, float]:
        chunks = self._my_chunks(trainer, generator, labels, counts)
        if self._own:
            return self._own.scores(self._gather(trainer, [self._own.read(c) for c in chunks]))
        assert self._network is not None
        assert self._reals is not None
        mine = [self._network.embed(chunk) for chunk in chunks]
        features = self._gather(trainer, [part.features for part in mine])
        logits = self._gather(trainer, [part.logits for part in mine])
        fakes = Embedded(features, logits, self._network.unit)
        return cheap_scores(fakes, self._reals, self.neighbours)

    def _my_chunks(
        self, trainer: Trainer, generator: Generator, labels: list[int], counts: list[int]
    ) -> Iterator[Tensor]:
        """Yield the samples of this device: every world_size-th chunk of them."""
        if trainer.world_size > 1:
            for buffer in generator.buffers():  # BatchNorm's statistics: each device has its own
                torch.distributed.broadcast(buffer, src=0)
        chunks, world = math.ceil(self.num_samples / CHUNK), trainer.world_size
        for index in range(trainer.global_rank, math.ceil(chunks / world) * world, world):
            yield sample_chunk(generator, index, self.seed, labels, counts)[0]

    def _gather(self, trainer: Trainer, parts: list[Tensor]) -> Tensor:
        """Join [chunk, CHUNK, D] of all devices in the order of the samples: [num_samples, D]."""
        stacked = torch.stack(parts).to(trainer.strategy.root_device)
        joined = trainer.strategy.all_gather(stacked)  # [world, chunks, CHUNK, D], or stacked
        if trainer.world_size > 1:
            joined = joined.transpose(0, 1)
        return joined.reshape(-1, stacked.shape[-1])[: self.num_samples].cpu()
