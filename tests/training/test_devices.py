"""Devices train one model together: the same as one process with the same global batch."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import SGD, Adam

from gan_lightning.augment import ADA
from gan_lightning.callbacks.checkpoints import Checkpoints
from gan_lightning.callbacks.console import Quiet
from gan_lightning.data import DigitsDataModule
from gan_lightning.losses import NonSaturating, RelativisticPaired
from gan_lightning.networks import (
    Discriminator,
    Generator,
    R3GANDiscriminator,
    R3GANGenerator,
)
from gan_lightning.penalties import R1, R2, Lazy, LeCam, Penalty, Sum
from gan_lightning.schedules import Cosine
from gan_lightning.system.checkpoint_file import restore_previous
from gan_lightning.system.checkpoint_io import SafeCheckpointIO
from gan_lightning.system.signals import skip_finalization
from gan_lightning.training.devices import MeanGradients, average_gradients
from gan_lightning.training.gan import GANModule


class Lines(Generator):
    """Without BatchNorm, whose statistics are each device's own."""

    def __init__(self) -> None:
        super().__init__(4, [1, 28, 28])
        self.layer = nn.Linear(4, 784)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layer(z.to(self.layer.weight.dtype)).tanh().unflatten(1, (1, 28, 28))


class Judge(Discriminator):
    """Two layers, so that the penalty has a gradient."""

    def __init__(self) -> None:
        super().__init__([1, 28, 28])
        self.layers = nn.Sequential(nn.Linear(784, 8), nn.Softplus(), nn.Linear(8, 1))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layers(x.flatten(1).to(self.layers[0].weight.dtype)).squeeze(1)


class Leaving(Callback):
    """Ends the processes of a strategy as `GracefulEnd` does."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        skip_finalization()


def lines(penalty: Penalty) -> GANModule:
    torch.manual_seed(0)
    sgd = partial(SGD, lr=0.05)
    return GANModule(Lines(), Judge(), NonSaturating(), sgd, sgd, penalty=penalty).double()


def widened(network: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make latents and images, which are float32, as wide as the weights."""
    wide = next(network.parameters()).dtype
    return tuple(x.to(wide) if torch.is_tensor(x) and x.is_floating_point() else x for x in given)


def residual() -> GANModule:
    """All that a recipe has and that is a mean over samples: R3GAN's pair has no BatchNorm."""
    torch.manual_seed(0)
    generator = R3GANGenerator(16, [1, 28, 28], 10, width=16, max_width=16)
    discriminator = R3GANDiscriminator([1, 28, 28], 10, width=16, max_width=16)
    for network in (generator, discriminator):
        network.register_forward_pre_hook(widened)
    adam = partial(Adam, lr=2e-3, betas=(0.0, 0.99))
    return GANModule(
        *(generator, discriminator, RelativisticPaired(), adam, adam),
        penalty=Lazy(Sum([R1(0.1), R2(0.1)]), every=4),
        schedules={"lr": Cosine(1.0, 0.01, 256)},
        share_fakes=True,
        clip_norm=1.0,
    ).double()


def train(
    devices: int,
    batch_size: int,
    module: GANModule,
    epochs: int = 1,
    folder: Path | None = None,
    batches: int = 3,
) -> dict[str, Tensor]:
    data = DigitsDataModule(name="digits", batch_size=batch_size)
    trainer = Trainer(
        accelerator="cpu",
        devices=devices,
        strategy=MeanGradients(start_method="spawn") if devices > 1 else "auto",
        max_epochs=epochs,
        limit_train_batches=batches,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=folder is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=1,
        callbacks=[Quiet(), Leaving(), *([Checkpoints(str(folder))] if folder else [])],
        plugins=[SafeCheckpointIO()],
    )
    last = folder / "last.ckpt" if folder else None
    trainer.fit(module, datamodule=data, ckpt_path=last if last and last.exists() else None)
    assert module.images_seen == batches * 16 * epochs
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def test_two_devices_have_the_gradient_of_their_global_batch() -> None:
    """Three steps of SGD from the same start lead to the same place."""
    start = train(1, 16, lines(R1(0.1)), batches=0)
    one, two = train(1, 16, lines(R1(0.1))), train(2, 8, lines(R1(0.1)))
    assert one.keys() == two.keys()
    for name, before in start.items():
        # Latents and images are float32 draws: equal; only the order of summation differs.
        way = (one[name] - before).norm()
        assert way > 0 or name.endswith("layers.2.bias")
        assert (two[name] - one[name]).norm() <= 1e-6 * way, name


@pytest.mark.slow
@pytest.mark.parametrize("devices", [2, 4])
def test_devices_train_the_weights_of_one(devices: int) -> None:
    """Eight steps of 16 images in float64: networks, and the average."""
    start, one = train(1, 16, residual(), batches=0), train(1, 16, residual(), batches=8)
    several = train(devices, 16 // devices, residual(), batches=8)
    assert one.keys() == several.keys()
    moved = [(one[name] - before).abs().max().item() for name, before in start.items()]
    assert sorted(moved)[len(moved) // 2] > 1e-3
    for name, weight in one.items():
        assert (several[name] - weight).abs().max() <= 1e-6, name


def test_devices_go_on_with_what_each_of_them_had(tmp_path: Path) -> None:
    """The anchors are buffers, which each device moves by its own images."""
    whole = train(2, 8, lines(LeCam(10.0)), epochs=2, folder=tmp_path)
    restore_previous(tmp_path / "last.ckpt")  # that of the first epoch
    halves = train(2, 8, lines(LeCam(10.0)), epochs=2, folder=tmp_path)
    for name, weight in whole.items():
        assert torch.equal(halves[name], weight), name


def judged(rank: int, folder: Path) -> None:
    skip_finalization()
    store = (folder / "store").as_uri()
    torch.distributed.init_process_group("gloo", store, rank=rank, world_size=2)
    augment = ADA(target=0.0, images=100)
    augment.target = -0.5
    augment.update(torch.full((8,), 1.0 if rank else -1.0))
    torch.save(augment.p, folder / f"{rank}.pt")


def test_the_devices_augment_alike(tmp_path: Path) -> None:
    """Half of 16 reals are above 0: more than the target, on the first device none."""
    torch.multiprocessing.spawn(judged, (tmp_path,), 2)
    for rank in (0, 1):
        assert torch.load(tmp_path / f"{rank}.pt").item() == pytest.approx(0.16)


def averaged(rank: int, folder: Path) -> None:
    skip_finalization()
    store = (folder / "store").as_uri()
    torch.distributed.init_process_group("gloo", store, rank=rank, world_size=2)
    wide = torch.zeros(2, 3, 2, 2).to(memory_format=torch.channels_last)
    both, one, none = nn.Parameter(wide), nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2))
    both.grad = (torch.arange(24.0).view(2, 3, 2, 2) * (rank + 1)).to(
        memory_format=torch.channels_last
    )
    if rank:
        one.grad = torch.full((3,), 4.0)
    average_gradients([none, one, both])
    torch.save([p.grad for p in (both, one, none)], folder / f"{rank}.pt")


def test_the_devices_step_down_the_mean(tmp_path: Path) -> None:
    """What one device alone left out is zero there; what both left out stays out."""
    torch.multiprocessing.spawn(averaged, (tmp_path,), 2)
    for rank in (0, 1):
        both, one, none = torch.load(tmp_path / f"{rank}.pt")
        assert torch.equal(both, torch.arange(24.0).view(2, 3, 2, 2) * 1.5)
        assert one.tolist() == [2.0, 2.0, 2.0]
        assert none is None
