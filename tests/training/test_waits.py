"""What a step makes a GPU's host wait for: values that are read back, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from gan_lightning.augment import ADA
from gan_lightning.config.build import build_data, build_module, build_trainer
from gan_lightning.config.schema import resolved
from gan_lightning.errors import RunError
from gan_lightning.training.finite import FiniteGuard
from gan_lightning.training.gan import GANModule
from gan_lightning.training.vae import VAEModule

# The host waits for a value, or for a size that depends on values.
READ = "aten::_local_scalar_dense"
WAITING = {READ, "aten::nonzero", "aten::masked_select", "aten::_unique2", "aten::equal"}
SENT = "aten::lift_fresh"  # torch.tensor(...): a GPU is sent a few numbers, and waited for


class Waits(TorchDispatchMode):
    """Notes the operations for which a GPU would be waited, in C++ too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func._schema.name
        masked = name.startswith("aten::index") and any(
            isinstance(i, Tensor) and i.dtype == torch.bool
            for i in (args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else ())
        )
        few = name == SENT and args[0].numel() <= 16  # more are latents, of NumPy
        if name in WAITING or few or masked:
            self.found.append(name)
        return func(*args, **kwargs or {})


@pytest.fixture(autouse=True)
def one_hot_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU alone `one_hot` looks whether its labels are in range."""
    monkeypatch.setattr(F, "one_hot", lambda y, count: torch.eye(count, dtype=torch.int64)[y])


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        ((), 2),
        (("penalty=lecam", "augment=diffaugment"), 2),
        (("penalty=wgan_gp", "loss=wasserstein", "d_steps=2", "accumulate=2"), 3),
        (("augment=ada", "optimizer.clip_norm=1", "model.num_classes=0"), 2),
        (("model=vae", "model.encoder.width=4"), 1),
    ],
)
def test_a_step_reads_back_what_the_guard_looks_at_alone(
    options: tuple[str, ...],
    reads: int,
    compose: Callable[..., DictConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A value per update on the CPU; on CUDA the guard has its own way, without waiting."""
    narrow = ("model.generator.width=4", "model.discriminator.width=4")
    narrow = narrow if "model=vae" not in options else narrow[:1]
    small = ("data=digits", "data.batch_size=4", "trainer=cpu", "trainer.limit_train_batches=3")
    alone = ("callbacks=none", "logger=csv", "trainer.max_epochs=1")
    config = resolved(compose(*options, *narrow, *small, *alone))
    # They come from NumPy, and are sent from pinned memory.
    latents = lambda seed, seen, draw, count, length, *_: torch.randn(count, length)  # noqa: E731
    monkeypatch.setattr("gan_lightning.training.base.training_latents", latents)
    found: list[list[str]] = []
    for cls in (GANModule, VAEModule):
        monkeypatch.setattr(cls, "training_step", counted(cls.training_step, found))
    data, *_ = build_data(config)
    build_trainer(config).fit(build_module(config), datamodule=data)
    assert len(found) == 3
    assert found[1:] == [[READ] * reads] * 2  # the first also asks whether the average has begun


def counted(step: Callable[..., None], found: list[list[str]]) -> Callable[..., None]:
    def training_step(self: Any, batch: Any, batch_idx: int) -> None:
        with Waits() as waits:
            step(self, batch, batch_idx)
        found.append(waits.found)

    return training_step


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: bool(x.any()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: torch.tensor([1.0, 2.0]),
    ],
)
def test_what_waits_is_found(wait: Callable[[Tensor], Any]) -> None:
    with Waits() as waits:
        wait(torch.ones(3))
    assert waits.found


def test_colours_are_changed_without_sending_numbers() -> None:
    augment, x = ADA(probability=1.0), torch.rand(2, 3, 8, 8)
    with Waits() as waits:
        augment.color(x)
    assert waits.found == []


class Arrived:
    """A CUDA event of a copy that is there."""

    def record(self) -> None:
        pass

    def synchronize(self) -> None:
        pass


def test_on_cuda_the_guard_looks_one_step_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """And names the step that went wrong."""
    monkeypatch.setattr(torch.cuda, "Event", Arrived)
    monkeypatch.setattr(Tensor, "is_cuda", True)
    guard = FiniteGuard()

    def step(loss: float, norm: float, images_seen: int) -> None:
        for name in "DG":
            guard.see(torch.tensor(loss if name == "D" else 0.5))
            guard.check(name, torch.tensor(norm), 0.1, images_seen, False, name == "G")

    step(1.0, 1.0, 64)
    step(1.0, torch.inf, 128)
    with pytest.raises(RunError, match=r"grad_norm/G is not finite at images_seen=128"):
        step(1.0, 1.0, 192)
