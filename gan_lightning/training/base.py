"""What every way of training shares; how a generator is trained is a subclass's: `gan.py`."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import torch
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator
from gan_lightning.ranges import Count, NonNegative, Positive, Seed, validated
from gan_lightning.sampling.latents import seed_step, sent, training_latents
from gan_lightning.schedules import OptimizerSchedules, Schedule, scheduled
from gan_lightning.training.course import Course
from gan_lightning.training.devices import send_first
from gan_lightning.training.ema import AveragedGenerator
from gan_lightning.training.finite import FiniteGuard
from gan_lightning.training.meters import Meters

Batch = tuple[Tensor, Tensor]  # images[B, C, H, W] in [-1, 1], labels int64[B]
OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
Stepped = tuple[OptimizerFactory, Sequence[nn.Module]]  # of the parameters of these modules
Objective = Callable[..., tuple[Tensor, dict[str, Tensor]]]  # batch, latents -> loss, curves


@validated
class GenerativeModule(LightningModule):
    """A generator that is trained, averaged, sampled and shipped, whatever trains it.

    `module(z, y)` draws images[B, C, H, W] from the averaged generator; so does `trainer.predict`.

    Args:
        stepped: what is optimized, by its name in the curves ("D"), in the order of the updates.
        schedules: of all optimizers: `lr` (a factor), `beta1`, `beta2`.
        accumulate: micro-batches of an update; the same as one batch of their size together,
            but for BatchNorm, losses that compare within a batch, and random draws.
        clip_norm: largest norm of the gradient of one update; None: any.
        ema_half_life, ema_ramp_up, ema_schedule: see `AveragedGenerator`.
        log_every_n_images: how often the curves get a point, in images over all ranks.
    """

    made_of: ClassVar[dict[str, str]] = {  # constructor argument: key of the config
        "generator": "model.generator",
        "schedules": "optimizer.schedule",
        "clip_norm": "optimizer.clip_norm",
        "ema_half_life": "ema.half_life",
        "ema_ramp_up": "ema.ramp_up",
        "ema_schedule": "ema.schedule",
        "accumulate": "accumulate",
        "seed": "seed",
        "log_every_n_images": "log_every_n_images",
    }
    curves: ClassVar[tuple[str, ...]] = ("images/s",)  # those that may be drawn, for searches
    fixed: ClassVar[dict[str, Any]] = {}  # keys of the config that have one value with it
    one_device: ClassVar[bool] = False  # whether it cannot share its work

    def __init__(
        self,
        generator: Generator,
        stepped: Mapping[str, Stepped],
        schedules: OptimizerSchedules | None = None,
        accumulate: Count = 1,
        clip_norm: Positive | None = None,
        ema_half_life: NonNegative = 10_000.0,
        ema_ramp_up: NonNegative = 0.1,
        ema_schedule: Schedule | None = None,
        seed: Seed = 0,
        log_every_n_images: Count = 3200,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = generator
        self.average = AveragedGenerator(generator, ema_half_life, ema_ramp_up, ema_schedule)
        self.stepped, self.schedules = dict(stepped), dict(schedules or {})
        self.accumulate, self.clip_norm, self.seed = accumulate, clip_norm, seed
        self.images_seen = 0  # the position of the run: real images shown so far, over all ranks
        self.scores: dict[str, float] = {}  # the latest of the average, by their curves
        self.course = Course()  # how its score went: the best so far, and where
        self.meters, self.guard = Meters(log_every_n_images), FiniteGuard()
        self._settings: list[dict[str, Any]] = []  # hyperparameters of each parameter group
        self._updated, self._draw = "", 0  # what this update steps, draws of latents in this step

    def updates(self) -> str:
        """Return how often each network is updated in a step, in words; "" for once each."""
        return ""

    def pictures(self, data: DataModule) -> dict[str, Tensor]:
        """Return pictures uint8[C, H, W] of an epoch's end beside the samples, by name."""
        return {}

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.generator.num_classes and y is None:
            raise ValueError("the generator is conditional: give labels y[B] with the latents")
        return self.average.generator(z, y if self.generator.num_classes else None)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return images of latents z[B, L], or of (z, y[B])."""
        z, *y = batch if isinstance(batch, list | tuple) else [batch]
        length, given = self.generator.latent_dim, list(z.shape)
        if given[1:] != [length]:
            raise UserError(f"predict takes batches of latents z[B, {length}], or (z, y): {given}")
        return self(z, *y)

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *_: Any, **__: Any) -> Any:
        """Raise UserError: what a checkpoint's networks are made of stands in its config."""
        words = "read its generator by gan_lightning.load_generator(PATH); go on training by"
        raise UserError(f"{checkpoint_path}: {words} gan_lightning.train(['resume=RUN_FOLDER'])")

    def configure_optimizers(self) -> list[Optimizer]:
        made = [make([p for m in of for p in m.parameters()]) for make, of in self.stepped.values()]
        groups = chain.from_iterable(optimizer.param_groups for optimizer in made)
        self._settings = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        return made

    def optimizer(self, name: str) -> LightningOptimizer:
        made = self.optimizers()
        return (made if isinstance(made, list) else [made])[list(self.stepped).index(name)]

    def lr(self, name: str = "") -> float:
        """Return the present learning rate of an optimizer, of the first one if none is named."""
        return self.optimizer(name or next(iter(self.stepped))).param_groups[0]["lr"]

    def set_optimizers(self) -> None:
        """Set all hyperparameters to the configured ones, scheduled for where the run is."""
        groups = chain.from_iterable(made.param_groups for made in self.trainer.optimizers)
        for group, values in zip(groups, self._settings, strict=True):
            group.update(values | scheduled(values, self.schedules, self.images_seen))

    def begin_step(self) -> None:
        """Make all that a step does depend on the position of the run alone."""
        self._draw = 0
        if self.schedules:
            self.set_optimizers()
        seed_step(self.seed, self.images_seen, self.global_rank, self.device)

    def update(self, name: str, objective: Objective, *batch: Tensor) -> None:
        """Step network `name` down the mean of `objective(*micro-batch, latents)`."""
        optimizer, self._updated = self.optimizer(name), name
        with self.toggled_optimizer(optimizer):
            every = (*batch, self.latents(len(batch[0])))
            optimizer.zero_grad()
            for part in zip(*(tensor.chunk(self.accumulate) for tensor in every), strict=True):
                loss, curves = objective(*part)
                if self.accumulate > 1:
                    loss = loss * (len(part[0]) / len(every[0]))
                for curve, value in curves.items():
                    self.meters.add(curve, value)
                self.manual_backward(self.guard.see(loss))
            optimizer.step()
        self.meters.set(f"lr/{name}", optimizer.param_groups[0]["lr"])

    def end_step(self, images: int) -> None:
        """Count a step of so many images per rank; move the average, and draw the curves."""
        images *= self.trainer.world_size
        self.images_seen += images
        self.average.update(self.generator, self.images_seen, images)
        if values := self.meters.step(images, self.trainer.strategy):
            for logger in self.loggers:
                logger.log_metrics(values, step=self.images_seen)
            self.log_dict(self.meters.shown(), prog_bar=True, logger=False)

    def latents(self, count: int) -> Tensor:
        """Return fresh z[count, L], keyed by seed, position and rank."""
        place = (self.seed, self.images_seen, self._draw)
        rank = (self.global_rank, self.trainer.world_size)
        z = training_latents(*place, count, self.generator.latent_dim, *rank)
        self._draw += 1
        return sent(z, self.device)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Measure and clip the gradient here: with fp16 it is scaled until just before the step."""
        name = self._updated
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        scaled = getattr(self.trainer.precision_plugin, "scaler", None) is not None
        wait = norm.device.type == "cpu" or name == [*self.stepped][-1]
        self.guard.check(name, norm, self.lr(name), self.images_seen, scaled, wait)
        self.meters.add(f"grad_norm/{name}", norm)
        if self.clip_norm is not None:
            nn.utils.clip_grads_with_norm_(parameters, self.clip_norm, norm)

    def on_fit_start(self) -> None:
        """Treat denormal numbers as zero: a saturated network is several times slower with them."""
        torch.set_flush_denormal(True)
        self.guard = FiniteGuard()  # what an earlier fit left is of no interest
        if self.device.type == "cpu":  # or torch's optimizers ask NVML for GPUs at every step
            os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)

    def teardown(self, stage: str) -> None:
        """Leave floats as they were: libraries beside this one may count on denormal numbers."""
        torch.set_flush_denormal(False)

    def on_train_start(self) -> None:
        """Let the configured learning rates win over those that a resumed optimizer remembers."""
        self.set_optimizers()

    def on_train_epoch_start(self) -> None:
        """Keep the pictures and checkpoints between epochs out of images/s."""
        self.meters.skip_pause()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Let all ranks begin a step with the first one's buffers, those that checkpoints hold."""
        if self.trainer.world_size > 1:
            send_first([*self.buffers()])

    def get_extra_state(self) -> dict[str, Any]:
        """Return what belongs to the weights but is no tensor."""
        course = self.course.state_dict()
        return {"images_seen": self.images_seen, "scores": dict(self.scores), "course": course}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.images_seen, self.scores = state["images_seen"], dict(state["scores"])
        self.course.load_state_dict(state.get("course", {}))  # older checkpoints have none
