"""Devices train one model together: the same as one process with the same global batch."""

from functools import partial

import torch
from lightning import Trainer
from torch import Tensor, nn
from torch.optim import SGD

from gan_lightning.build import SPAWN
from gan_lightning.callbacks.quiet import Quiet
from gan_lightning.data import DigitsDataModule
from gan_lightning.losses import NonSaturating
from gan_lightning.module import GANModule
from gan_lightning.networks import Discriminator, Generator
from gan_lightning.penalties import R1


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


def train(devices: int, batch_size: int) -> dict[str, Tensor]:
    torch.manual_seed(0)
    sgd = partial(SGD, lr=0.05)
    module = GANModule(Lines(), Judge(), NonSaturating(), sgd, sgd, penalty=R1(0.1)).double()
    data = DigitsDataModule(name="digits", batch_size=batch_size)
    trainer = Trainer(
        accelerator="cpu",
        devices=devices,
        strategy=SPAWN if devices > 1 else "auto",
        max_epochs=1,
        limit_train_batches=3,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=1,
        callbacks=[Quiet()],
    )
    trainer.fit(module, datamodule=data)
    assert module.images_seen == 3 * 16
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def test_two_devices_are_one_process_with_their_global_batch() -> None:
    one, two = train(devices=1, batch_size=16), train(devices=2, batch_size=8)
    assert one.keys() == two.keys()
    for name, weight in one.items():
        # Latents and images are float32 draws: equal; only the order of summation differs.
        torch.testing.assert_close(two[name], weight, rtol=1e-6, atol=1e-9, msg=name)
