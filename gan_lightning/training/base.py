"""How a network takes a step: micro-batches, clipping, schedules; nothing about GANs' losses."""

from collections.abc import Callable, Iterable
from typing import Any

from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from gan_lightning.schedules import Schedule, scheduled
from gan_lightning.training.finite import FiniteGuard
from gan_lightning.training.meters import Meters

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


class TwoOptimizers(LightningModule):
    """D's optimizer, then G's, both stepped by hand.

    A subclass sets these before training:

    Attributes:
        schedules: of both optimizers' `lr` (a factor), `beta1`, `beta2`.
        accumulate: micro-batches that one step averages over.
        clip_norm: gradients are scaled down to that norm, per network; None for never.
        images_seen: where the run is.
        meters: get the gradient norms before clipping, and the learning rates.
    """

    schedules: dict[str, Schedule]
    accumulate: int
    clip_norm: float | None
    images_seen: int
    meters: Meters

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.guard = FiniteGuard()
        self._settings: list[list[dict[str, Any]]] = []

    def make_optimizers(self) -> list[Optimizer]:
        """Return D's optimizer, then G's."""
        raise NotImplementedError

    def configure_optimizers(self) -> list[Optimizer]:
        """Return the optimizers, and remember their settings."""
        made = self.make_optimizers()
        self._settings = [settings(optimizer) for optimizer in made]
        return made

    def on_train_start(self) -> None:
        """Let the configured learning rates win over those that a resumed optimizer remembers."""
        self.set_optimizers()

    def set_optimizers(self) -> None:
        """Set all hyperparameters to the configured ones, scheduled for where the run is."""
        for optimizer, groups in zip(self.trainer.optimizers, self._settings, strict=True):
            for group, values in zip(optimizer.param_groups, groups, strict=True):
                group.update(values | scheduled(values, self.schedules, self.images_seen))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Let all ranks begin a step with the first one's buffers, those that checkpoints hold.

        DDP does so unless it was told that the last forward pass had no gradients to synchronise,
        which is what Lightning tells it when gradients are taken by hand: from the second step on
        each rank would have its own BatchNorm statistics, anchors and p, until a resume.
        """
        if isinstance(self.trainer.model, DistributedDataParallel):
            self.trainer.model.require_forward_param_sync = True

    def descend(
        self,
        name: str,
        optimizer: LightningOptimizer,
        loss: Callable[..., Tensor],
        *batch: Tensor,
    ) -> None:
        """Take one step down the mean of loss(*micro-batch), the batch cut into equal parts."""
        optimizer.zero_grad()
        if self.accumulate == 1:
            self.manual_backward(self.guard.see(loss(*batch)))
        else:
            for part in zip(*(tensor.chunk(self.accumulate) for tensor in batch), strict=True):
                share = len(part[0]) / len(batch[0])
                self.manual_backward(self.guard.see(loss(*part) * share))
        optimizer.step()
        self.meters.set(f"lr/{name}", optimizer.param_groups[0]["lr"])

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Measure and clip the gradient here: with fp16 it is scaled until just before the step."""
        name = "D" if optimizer is self.trainer.optimizers[0] else "G"
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        scaled = getattr(self.trainer.precision_plugin, "scaler", None) is not None
        self.guard.check(name, norm, optimizer, self.images_seen, scaled)
        self.meters.add(f"grad_norm/{name}", norm)
        if self.clip_norm is not None:
            nn.utils.clip_grads_with_norm_(parameters, self.clip_norm, norm)


def settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the hyperparameters of every parameter group."""
    return [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
