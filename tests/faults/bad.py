"""What goes wrong on purpose, at a step that is known."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from gan_lightning.loggers import MetricsCSV
from gan_lightning.losses import NonSaturating
from gan_lightning.system.signals import end_with_parent


class NaNAt(NonSaturating):
    """Is no number from a call on, or infinite, or a number whose gradient is none."""

    def __init__(self, call: int, who: str = "D", how: str = "nan") -> None:
        super().__init__()
        self.call, self.who, self.how, self.calls = call, who, how, 0

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        self.calls += 1
        return self._spoilt(super().discriminator(real_logits, fake_logits), "D")

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return self._spoilt(super().generator(fake_logits, real_logits), "G")

    def _spoilt(self, loss: Tensor, who: str) -> Tensor:
        if self.who != who or self.calls < self.call:
            return loss
        if self.how == "gradient":
            return loss + (loss - loss.detach()).square().sqrt()
        return loss * float(self.how)


class SignalAt(Callback):
    """Sends a signal to one rank's own process when the run is at a position.

    Args:
        images_seen: where; signal 0 raises an error instead.
        number: of the signal.
        rank: whose process.
        slow: seconds that every step takes from there on.
        worker: whether a loader's worker gets it instead.
    """

    def __init__(
        self,
        images_seen: int,
        number: int = 15,
        rank: int = 0,
        slow: float = 0.0,
        worker: bool = False,
    ) -> None:
        self.images_seen, self.number, self.rank, self.slow = images_seen, number, rank, slow
        self.worker = worker

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        if pl_module.images_seen < self.images_seen:
            return
        time.sleep(self.slow)
        if pl_module.images_seen == self.images_seen and trainer.global_rank == self.rank:
            if not self.number:
                raise ArithmeticError("on purpose")
            (child,) = multiprocessing.active_children() if self.worker else (None,)
            os.kill(child.pid if child else os.getpid(), self.number)
            time.sleep(5.0 * self.worker)


class SignalGroupAt(Callback):
    """Sends SIGTERM to every process of the run, in a step that takes long."""

    def __init__(self, images_seen: int, seconds: float) -> None:
        self.images_seen, self.seconds = images_seen, seconds

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        if pl_module.images_seen == self.images_seen:
            os.killpg(os.getpgrp(), signal.SIGTERM)
            time.sleep(self.seconds)


class Connecting(MetricsCSV):
    """Notes every time that it is made."""

    def __init__(self, log: str) -> None:
        super().__init__(".")
        with Path(log).open("a") as file:
            file.write("once")


class Ranks(Callback):
    """Writes every rank's process id into a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        (Path(self.folder) / f"{os.getpid()}.pid").touch()


class Starved(Callback):
    """Leaves next to no time to a rank's other threads, gloo's among them, when it has trained."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """One core for all ranks, so that who has waited goes on before who has worked."""
        core = min(os.sched_getaffinity(0))
        for thread in map(int, os.listdir("/proc/self/task")):
            os.sched_setaffinity(thread, {core})
            if thread != os.getpid():
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def late_rank(folder: str) -> None:
    """Stands where a rank stands before it trains, but its first process is gone."""
    while multiprocessing.parent_process().is_alive():  # type: ignore[union-attr]  # spawned
        time.sleep(0.1)
    note = Path(folder) / "late"
    note.write_text(str(os.getpid()))
    note.rename(note.with_suffix(".pid"))
    end_with_parent()
    time.sleep(60)
