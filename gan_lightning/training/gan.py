"""The adversarial update, whole: read `training_step`, then `d_loss`, then `g_loss`.

Source: Goodfellow et al. 2014, Generative Adversarial Networks, algorithm 1.
"""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lightning.augment import Augment, NoAugment
from gan_lightning.losses import Loss
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.penalties import NoConstraint, NoPenalty, Penalty
from gan_lightning.ranges import Count, Switch, validated
from gan_lightning.schedules import followers
from gan_lightning.training.base import Batch, GenerativeModule, OptimizerFactory, Stepped
from gan_lightning.training.clusters import Clusters


@validated
class GANModule(GenerativeModule):
    """Trains a generator G against a discriminator D with two optimizers.

    One step is `d_steps` updates of D, each on its own part of the batch, then `g_steps` of G.
    Labels go to the networks that have classes.

    Args:
        generator: z[B, L], y[B] | None -> image[B, C, H, W] in [-1, 1].
        discriminator: image, y -> logits[B].
        discriminator_optimizer: makes D's; a head that the loss puts on D learns with D.
        constraint: what is done to D after each of its updates.
        augment: what D's images go through, reals and fakes alike.
        share_fakes: G's update looks at the fakes that D's has just seen, which saves a forward
            pass; where a step has one update of each, else both draw their own.
        shared: see `GenerativeModule`.
    """

    made_of: ClassVar[dict[str, str]] = GenerativeModule.made_of | {
        "discriminator": "model.discriminator",
        "loss": "loss",
        "penalty": "penalty",
        "constraint": "constraint",
        "augment": "augment",
        "generator_optimizer": "optimizer.generator",
        "discriminator_optimizer": "optimizer.discriminator",
        "d_steps": "d_steps",
        "g_steps": "g_steps",
        "share_fakes": "share_fakes",
    }
    curves: ClassVar[tuple[str, ...]] = (
        *("loss/D", "loss/G", "penalty", "D(real)", "D(fake)", "D(held-out)", "auxiliary/D"),
        *("auxiliary/G", "grad_norm/D", "grad_norm/G", "lr/D", "lr/G", *GenerativeModule.curves),
    )

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
        share_fakes: Switch = False,
        **shared: Any,
    ) -> None:
        loss.attach(generator, discriminator)
        of_d: list[nn.Module] = [discriminator, *([loss] if isinstance(loss, nn.Module) else [])]
        stepped: dict[str, Stepped] = {
            "D": (discriminator_optimizer, of_d),
            "G": (generator_optimizer, [generator]),
        }
        super().__init__(generator, stepped, **shared)
        self.discriminator = discriminator
        self.loss = loss
        self.penalty = penalty or NoPenalty()
        self.constraint = constraint or NoConstraint()
        self.augment = augment or NoAugment()
        self.d_steps, self.g_steps = d_steps, g_steps
        self.share_fakes = share_fakes and d_steps == g_steps == self.accumulate == 1
        self._shared: tuple[Tensor, Tensor] | None = None  # latents and fakes of this step
        self.followers = followers(self.loss, self.penalty, self.augment)
        pixels = math.prod(generator.image_shape)
        of_z = generator.clusters
        self.clusters = Clusters(of_z.count, pixels) if of_z else None

    def on_fit_start(self) -> None:
        """Find the clusters of the training images, if G is to choose among such."""
        super().on_fit_start()
        if self.clusters and not self.images_seen:
            images = self.trainer.datamodule.images.images  # type: ignore[attr-defined]
            self.print(f"finding {self.clusters.count} clusters of {len(images):,} images ...")
            shares = self.clusters.fit(images, self.seed)
            for generator in (self.generator, self.average.generator):
                if generator.clusters:
                    generator.clusters.set_shares(shares)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Update D on every part of the batch, then G on the last, then the average."""
        self.begin_step()
        parts = list(zip(*(tensor.chunk(self.d_steps) for tensor in batch), strict=True))
        parts = [(real, self.labels(real, y)) for real, y in parts]
        if self.share_fakes:
            self._shared = (z := self.latents(len(batch[0])), self.generate(z, parts[0][1]))
        for real, y in parts:
            for follower in self.followers:
                follower.follow(self.images_seen)
            self.update("D", self.d_loss, real, y)  # draws z, freezes G, clips, steps: base.py
            self.constraint(self.discriminator)
        for _ in range(self.g_steps):
            self.update("G", self.g_loss, *parts[-1])
        self._shared = None
        self.end_step(images=len(batch[0]))

    def d_loss(self, real: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return D's loss plus the mean penalty, and the curves; fakes do not move G."""
        with torch.no_grad():
            fake = self.fakes(z, y).detach()  # those that are shared have a graph: G's
        real_logits, real_head = self.logits_and_head(real, y)
        fake_logits, fake_head = self.logits_and_head(fake, y)
        loss = self.loss.discriminator(real_logits, fake_logits)
        with torch.autocast(self.device.type, enabled=False):
            penalty = self.penalty(self.logits, real.float(), fake.float(), y).mean()
        self.augment.update(real_logits.detach())  # adaptive ones follow how sure D is
        curves = {
            "loss/D": loss,
            "penalty": penalty,
            "D(real)": real_logits.sigmoid().mean(),
            "D(fake)": fake_logits.sigmoid().mean(),
        }
        if self.loss.has_head:
            curves["auxiliary/D"] = self.loss.discriminator_more(real_head, fake_head, y, z)
            loss = loss + self.loss.weight * curves["auxiliary/D"]
        return loss + penalty, curves

    def g_loss(self, real: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return G's loss, and the curves; only a relativistic loss looks at the reals."""
        fake_logits, fake_head = self.logits_and_head(self.fakes(z, y), y)
        with torch.no_grad():
            real_logits = self.logits(real, y) if self.loss.relativistic else None
        loss = self.loss.generator(fake_logits, real_logits)
        curves = {"loss/G": loss}
        if self.loss.has_head:
            curves["auxiliary/G"] = self.loss.generator_more(fake_head, y, z)
            loss = loss + self.loss.weight * curves["auxiliary/G"]
        return loss, curves

    def labels(self, images: Tensor, y: Tensor) -> Tensor:
        """Return y, or the clusters of these images where they take the place of labels."""
        return self.clusters(images) if self.clusters else y

    def latents(self, count: int) -> Tensor:
        """Return the latents of the shared fakes, or fresh ones."""
        return self._shared[0] if self._shared else super().latents(count)

    def fakes(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the shared fakes, or those of these latents."""
        return self._shared[1] if self._shared else self.generate(z, y)

    def generate(self, z: Tensor, y: Tensor) -> Tensor:
        if self.generator.clusters:
            z = self.generator.clusters.move(z, y)
        return self.generator(z, y if self.generator.num_classes else None)

    def logits(self, image: Tensor, y: Tensor | None) -> Tensor:
        """Return D's logits[B] of augmented images."""
        y = y if self.discriminator.num_classes else None
        return self.discriminator(self.augment(image), y)

    def logits_and_head(self, image: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return D's logits[B], and what the loss's own head makes of D's features, if it has one.

        Without such a head it is the logits again.
        """
        if not self.loss.has_head:
            logits = self.logits(image, y)
            return logits, logits
        h = self.discriminator.features(self.augment(image))
        known = y if self.discriminator.num_classes else None
        return self.discriminator.head(h, known), self.loss.head(h)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure D on held-out reals: far below D(real) means that D overfits."""
        real, y = batch
        y = self.labels(real, y)
        logits = self.discriminator(real, y if self.discriminator.num_classes else None)
        self.meters.add("D(held-out)", logits.sigmoid().mean())

    def updates(self) -> str:
        once = (self.d_steps, self.g_steps) == (1, 1)
        return "" if once else f"updates of D {self.d_steps}, of G {self.g_steps} a step"
