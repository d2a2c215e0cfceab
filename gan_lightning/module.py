"""The adversarial loop and its logging, nothing else."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lightning.augment import Augment, NoAugment
from gan_lightning.ema import AveragedGenerator
from gan_lightning.latents import seed_step, training_latents
from gan_lightning.losses import Loss
from gan_lightning.meters import Meters
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.penalties import NoConstraint, NoPenalty, Penalty
from gan_lightning.schedules import Schedule, scheduled

Batch = tuple[Tensor, Tensor]
OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


class GANModule(LightningModule):
    """Trains a generator against a discriminator with two optimizers.

    One step is `d_steps` updates of D, each on its own part of the batch, then one update of G.

    Args:
        generator: z[B, L], y[B] | None -> image[B, C, H, W] in [-1, 1].
        discriminator: image, y -> logits[B].
        loss: see `gan_lightning.losses`.
        generator_optimizer: makes G's optimizer from its parameters.
        discriminator_optimizer: makes D's.
        penalty: see `gan_lightning.penalties`.
        constraint: what is done to D after each of its updates.
        augment: what D's images go through, reals and fakes alike; see `gan_lightning.augment`.
        d_steps: updates of D per update of G.
        ema_half_life: of the averaged generator, in images.
        ema_ramp_up: its warm-up, as a share of the images seen.
        ema_schedule: a factor of its half-life.
        schedules: of both optimizers: `lr` (a factor), `beta1`, `beta2`.
        seed: of the latents, at least 0.
        log_every_n_images: how often the curves get a point, in images over all ranks.
    """

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
        d_steps: int = 1,
        ema_half_life: float = 10_000.0,
        ema_ramp_up: float = 0.1,
        ema_schedule: Schedule | None = None,
        schedules: Mapping[str, Schedule] | None = None,
        seed: int = 0,
        log_every_n_images: int = 3200,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = generator
        self.discriminator = discriminator
        self.average = AveragedGenerator(generator, ema_half_life, ema_ramp_up, ema_schedule)
        self.loss = loss
        self.penalty = penalty or NoPenalty()
        self.constraint = constraint or NoConstraint()
        self.augment = augment or NoAugment()
        self.optimizer_factories = (discriminator_optimizer, generator_optimizer)
        self.schedules = dict(schedules or {})
        self.d_steps = d_steps
        self.seed = seed
        self.images_seen = 0
        self.scores: dict[str, float] = {}  # the latest of the averaged generator
        self.meters = Meters(log_every_n_images)
        self._draw = 0
        self._settings: list[list[dict[str, Any]]] = []

    def configure_optimizers(self) -> list[Optimizer]:
        """Return D's optimizer, then G's."""
        make_d, make_g = self.optimizer_factories
        made = [make_d(self.discriminator.parameters()), make_g(self.generator.parameters())]
        self._settings = [settings(optimizer) for optimizer in made]
        return made

    def on_fit_start(self) -> None:
        """Treat denormal numbers as zero: a saturated network is several times slower with them."""
        torch.set_flush_denormal(True)

    def on_train_start(self) -> None:
        """Let the configured learning rates win over those that a resumed optimizer remembers."""
        self.set_optimizers()

    def set_optimizers(self) -> None:
        """Set all hyperparameters to the configured ones, scheduled for where the run is."""
        for optimizer, groups in zip(self.trainer.optimizers, self._settings, strict=True):
            for group, values in zip(optimizer.param_groups, groups, strict=True):
                group.update(values | scheduled(values, self.schedules, self.images_seen))

    def on_train_epoch_start(self) -> None:
        """Keep the pictures and checkpoints between epochs out of images/s."""
        self.meters.skip_pause()

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Update D on every part of the batch, then G once, then the average."""
        d_optimizer, g_optimizer = self.optimizers()  # type: ignore[attr-defined]  # two: a list
        self._draw = 0
        if self.schedules:
            self.set_optimizers()
        seed_step(self.seed, self.images_seen, self.global_rank, self.device)
        for real, label in zip(*(part.chunk(self.d_steps) for part in batch), strict=True):
            y = label if self.discriminator.num_classes else None
            with self.toggled_optimizer(d_optimizer):
                with torch.no_grad():
                    fake = self.generate(y, len(real))
                d_loss = self.discriminator_loss(real, fake, y)
                self.descend("D", d_optimizer, d_loss)
                self.constraint(self.discriminator)
        with self.toggled_optimizer(g_optimizer):
            g_loss = self.generator_loss(self.generate(y, len(real)), real, y)
            self.descend("G", g_optimizer, g_loss)
        images = len(batch[0]) * self.trainer.world_size
        self.images_seen += images
        self.average.update(self.generator, self.images_seen, images)
        self.log_step(images)

    def generate(self, y: Tensor | None, count: int) -> Tensor:
        """Return fakes[count, C, H, W] from fresh latents keyed by seed, position and rank."""
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
        return self.generator(z.to(self.device, non_blocking=True), y)

    def judge(self, image: Tensor, y: Tensor | None) -> Tensor:
        """Return D's logits[B] of images as it gets to see them: augmented."""
        return self.discriminator(self.augment(image), y)

    def discriminator_loss(self, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        """Return D's loss plus the mean penalty."""
        real_logits, fake_logits = self.judge(real, y), self.judge(fake, y)
        loss = self.loss.discriminator(real_logits, fake_logits)
        with torch.autocast(self.device.type, enabled=False):
            penalty = self.penalty(self.judge, real.float(), fake.float(), y).mean()
        self.augment.update(real_logits.detach())
        self.meters.add("loss/D", loss)
        self.meters.add("penalty", penalty)
        self.meters.add("D(real)", real_logits.sigmoid().mean())
        self.meters.add("D(fake)", fake_logits.sigmoid().mean())
        return loss + penalty

    def generator_loss(self, fake: Tensor, real: Tensor, y: Tensor | None) -> Tensor:
        """Return G's loss; only a relativistic loss looks at the reals."""
        fake_logits = self.judge(fake, y)
        with torch.no_grad():
            real_logits = self.judge(real, y) if self.loss.relativistic else None
        loss = self.loss.generator(fake_logits, real_logits)
        self.meters.add("loss/G", loss)
        return loss

    def descend(self, name: str, optimizer: LightningOptimizer, loss: Tensor) -> None:
        """Take one optimizer step down the loss."""
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        self.meters.set(f"lr/{name}", optimizer.param_groups[0]["lr"])

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Measure the gradient here: with fp16 it is scaled until just before the step."""
        name = "D" if optimizer is self.trainer.optimizers[0] else "G"
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.get_total_norm([g for g in gradients if g is not None])
        self.meters.add(f"grad_norm/{name}", norm)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure D on held-out reals: far below D(real), it knows its training set by heart."""
        real, label = batch
        logits = self.discriminator(real, label if self.discriminator.num_classes else None)
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


def settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the hyperparameters of every parameter group."""
    return [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
