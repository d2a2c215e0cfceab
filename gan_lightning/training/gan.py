"""The adversarial loop and its logging, nothing else."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lightning.augment import Augment, NoAugment
from gan_lightning.losses import AuxiliaryLoss, Loss
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.penalties import NoConstraint, NoPenalty, Penalty
from gan_lightning.ranges import Count, NonNegative, Positive, Seed, validated
from gan_lightning.sampling.latents import seed_step, training_latents
from gan_lightning.schedules import OptimizerSchedules, Schedule, followers
from gan_lightning.training.base import OptimizerFactory, TwoOptimizers
from gan_lightning.training.ema import AveragedGenerator
from gan_lightning.training.meters import Meters

Batch = tuple[Tensor, Tensor]


class Objectives(TwoOptimizers):
    """D's and G's losses on a batch of reals, labels and latents.

    A subclass sets the attributes. Labels go to the networks that have classes.
    """

    generator: Generator
    discriminator: Discriminator
    loss: Loss
    penalty: Penalty
    augment: Augment

    def generate(self, z: Tensor, y: Tensor) -> Tensor:
        """Return fakes[B, C, H, W]."""
        return self.generator(z, y if self.generator.num_classes else None)

    def judge(self, image: Tensor, y: Tensor | None) -> Tensor:
        """Return D's logits[B] of images as it gets to see them: augmented."""
        y = y if self.discriminator.num_classes else None
        return self.discriminator(self.augment(image), y)

    def judge_twice(self, image: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return D's logits[B], and what the loss's own head makes of the same features.

        Without such a head it is the logits again.
        """
        if not isinstance(self.loss, AuxiliaryLoss):
            logits = self.judge(image, y)
            return logits, logits
        h = self.discriminator.features(self.augment(image))
        known = y if self.discriminator.num_classes else None
        return self.discriminator.head(h, known), self.loss.head(h)

    def discriminator_loss(self, real: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return D's loss plus the mean penalty."""
        with torch.no_grad():
            fake = self.generate(z, y)
        (real_logits, real_more), (fake_logits, fake_more) = (
            self.judge_twice(image, y) for image in (real, fake)
        )
        loss = self.loss.discriminator(real_logits, fake_logits)
        with torch.autocast(self.device.type, enabled=False):
            penalty = self.penalty(self.judge, real.float(), fake.float(), y).mean()
        self.augment.update(real_logits.detach())
        self.meters.add("loss/D", loss)
        self.meters.add("penalty", penalty)
        self.meters.add("D(real)", real_logits.sigmoid().mean())
        self.meters.add("D(fake)", fake_logits.sigmoid().mean())
        if isinstance(self.loss, AuxiliaryLoss):
            more = self.loss.discriminator_more(real_more, fake_more, y, z)
            self.meters.add("auxiliary/D", more)
            loss = loss + self.loss.weight * more
        return loss + penalty

    def generator_loss(self, real: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Return G's loss; only a relativistic loss looks at the reals."""
        fake_logits, fake_more = self.judge_twice(self.generate(z, y), y)
        with torch.no_grad():
            real_logits = self.judge(real, y) if self.loss.relativistic else None
        loss = self.loss.generator(fake_logits, real_logits)
        self.meters.add("loss/G", loss)
        if isinstance(self.loss, AuxiliaryLoss):
            more = self.loss.generator_more(fake_more, y, z)
            self.meters.add("auxiliary/G", more)
            loss = loss + self.loss.weight * more
        return loss


@validated
class GANModule(Objectives):
    """Trains a generator against a discriminator with two optimizers.

    One step is `d_steps` updates of D, each on its own part of the batch, then `g_steps` of G.
    Labels go to the networks that have classes.

    Args:
        generator: z[B, L], y[B] | None -> image[B, C, H, W] in [-1, 1].
        discriminator: image, y -> logits[B].
        loss: see `gan_lightning.losses`.
        generator_optimizer: makes G's optimizer from its parameters.
        discriminator_optimizer: makes D's.
        penalty: see `gan_lightning.penalties`.
        constraint: what is done to D after each of its updates.
        augment: what D's images go through, reals and fakes alike; see `gan_lightning.augment`.
        d_steps: updates of D in a step.
        g_steps: updates of G.
        accumulate: micro-batches of an update; the same as one batch of their size together,
            but for BatchNorm, losses that compare within a batch, and random draws.
        clip_norm: largest norm of a network's gradient; None: any.
        ema_half_life: of the averaged generator, in images.
        ema_ramp_up: its warm-up, as a share of the images seen.
        ema_schedule: a factor of its half-life.
        schedules: of both optimizers: `lr` (a factor), `beta1`, `beta2`.
        seed: of the latents, at least 0.
        log_every_n_images: how often the curves get a point, in images over all ranks.
    """

    # Of what it is made: the constructor's arguments, and where their values stand in a config.
    made_of: ClassVar[dict[str, str]] = {
        "generator": "model.generator",
        "discriminator": "model.discriminator",
        "loss": "loss",
        "penalty": "penalty",
        "constraint": "constraint",
        "augment": "augment",
        "generator_optimizer": "optimizer.generator",
        "discriminator_optimizer": "optimizer.discriminator",
        "schedules": "optimizer.schedule",
        "clip_norm": "optimizer.clip_norm",
        "ema_half_life": "ema.half_life",
        "ema_ramp_up": "ema.ramp_up",
        "ema_schedule": "ema.schedule",
        "d_steps": "d_steps",
        "g_steps": "g_steps",
        "accumulate": "accumulate",
        "seed": "seed",
        "log_every_n_images": "log_every_n_images",
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        generator_optimizer: OptimizerFactory,
        discriminator_optimizer: OptimizerFactory,
        penalty: Penalty | None = None,
        constraint: Callable[[nn.Module], None] | None = None,
        augment: Augment | None = None,
        d_steps: Count = 1,
        g_steps: Count = 1,
        accumulate: Count = 1,
        clip_norm: Positive | None = None,
        ema_half_life: NonNegative = 10_000.0,
        ema_ramp_up: NonNegative = 0.1,
        ema_schedule: Schedule | None = None,
        schedules: OptimizerSchedules | None = None,
        seed: Seed = 0,
        log_every_n_images: Count = 3200,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.average = AveragedGenerator(generator, ema_half_life, ema_ramp_up, ema_schedule)
        self.loss = loss
        self.penalty = penalty or NoPenalty()
        self.constraint = constraint or NoConstraint()
        self.augment = augment or NoAugment()
        self.optimizer_factories = (discriminator_optimizer, generator_optimizer)
        self.schedules = dict(schedules or {})
        self.d_steps, self.g_steps = d_steps, g_steps
        self.accumulate, self.clip_norm = accumulate, clip_norm
        self.seed = seed
        self.images_seen = 0
        self.scores: dict[str, float] = {}  # the latest of the averaged generator
        self.meters = Meters(log_every_n_images)
        self._draw = 0
        if isinstance(loss, AuxiliaryLoss):
            loss.attach(generator, discriminator)
        self.followers = followers(self.loss, self.penalty, self.augment)

    def make_optimizers(self) -> list[Optimizer]:
        """Return D's optimizer, then G's; a head that the loss puts on D learns with D."""
        make_d, make_g = self.optimizer_factories
        head = self.loss.parameters() if isinstance(self.loss, nn.Module) else ()
        return [
            make_d([*self.discriminator.parameters(), *head]),
            make_g(self.generator.parameters()),
        ]

    def on_fit_start(self) -> None:
        """Treat denormal numbers as zero: a saturated network is several times slower with them."""
        torch.set_flush_denormal(True)

    def teardown(self, stage: str) -> None:
        """Leave floats as they were: libraries beside this one may count on denormal numbers."""
        torch.set_flush_denormal(False)

    def on_train_epoch_start(self) -> None:
        """Keep the pictures and checkpoints between epochs out of images/s."""
        self.meters.skip_pause()

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Update D on every part of the batch, then G, then the average."""
        d_optimizer, g_optimizer = self.optimizers()  # type: ignore[attr-defined]  # two: a list
        self._draw = 0
        if self.schedules:
            self.set_optimizers()
        seed_step(self.seed, self.images_seen, self.global_rank, self.device)
        for real, y in zip(*(part.chunk(self.d_steps) for part in batch), strict=True):
            for follower in self.followers:
                follower.follow(self.images_seen)
            with self.toggled_optimizer(d_optimizer):
                z = self.latents(len(real))
                self.descend("D", d_optimizer, self.discriminator_loss, real, y, z)
                self.constraint(self.discriminator)
        for _ in range(self.g_steps):
            with self.toggled_optimizer(g_optimizer):
                z = self.latents(len(real))
                self.descend("G", g_optimizer, self.generator_loss, real, y, z)
        images = len(batch[0]) * self.trainer.world_size
        self.images_seen += images
        self.average.update(self.generator, self.images_seen, images)
        self.log_step(images)

    def latents(self, count: int) -> Tensor:
        """Return fresh z[count, L], keyed by seed, position and rank."""
        z = training_latents(
            self.seed,
            self.images_seen,
            self._draw,
            count,
            self.generator.latent_dim,
            self.global_rank,
            self.trainer.world_size,
        )
        self._draw += 1
        return z.to(self.device, non_blocking=True)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure D on held-out reals: far below D(real), it knows its training set by heart."""
        real, y = batch
        logits = self.discriminator(real, y if self.discriminator.num_classes else None)
        self.meters.add("D(held-out)", logits.sigmoid().mean())

    def log_step(self, images: int) -> None:
        """Give every logger one point on the images_seen axis when an interval is full."""
        values = self.meters.step(images, self.trainer.strategy)
        if not values:
            return
        for logger in self.loggers:
            logger.log_metrics(values, step=self.images_seen)
        bar = {name: values[name] for name in ("loss/D", "loss/G", "images/s")}
        self.log_dict(bar, prog_bar=True, logger=False)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what belongs to the weights but is no tensor."""
        return {"images_seen": self.images_seen, "scores": dict(self.scores)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore it."""
        self.images_seen, self.scores = state["images_seen"], dict(state["scores"])
