"""A GAN of a few dozen weights on random images, the loop in milliseconds; a density likewise."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.loggers import Logger
from torch import Tensor, nn
from torch.optim import SGD
from torch.utils.data import DataLoader

from gan_lightning.callbacks.console import Quiet
from gan_lightning.losses import NonSaturating
from gan_lightning.networks import Density, MLPDiscriminator, MLPGenerator
from gan_lightning.training.gan import GANModule

# Arguments of densities that are fitted in milliseconds.
QUICK = {"levels": 4, "principal": 4, "components": 2, "bands": 2, "kinds": 1, "iterations": 1}
SHAPE = [1, 4, 4]
BATCH = 6


class Points(Logger):
    """Keeps what is logged."""

    name, version = "", ""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[tuple[int | None, dict[str, float]]] = []

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        pass

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.points.append((step, metrics))


def build(num_classes: int = 0, **arguments: Any) -> GANModule:
    torch.manual_seed(0)
    return GANModule(
        **{
            "generator": MLPGenerator(3, SHAPE, num_classes, hidden=[8]),
            "discriminator": MLPDiscriminator(SHAPE, num_classes, hidden=[8]),
            "loss": NonSaturating(),
            "generator_optimizer": partial(SGD, lr=0.1),
            "discriminator_optimizer": partial(SGD, lr=0.1),
            "log_every_n_images": 10**9,
        }
        | arguments
    )


def fit(
    module: GANModule,
    steps: int = 1,
    batch: int = BATCH,
    ckpt_path: Path | None = None,
    **trainer: Any,
) -> Trainer:
    random = torch.Generator().manual_seed(1)
    images = 2 * torch.rand(steps * batch, *SHAPE, generator=random) - 1
    data = list(zip(images, torch.arange(len(images)) % 10, strict=True))
    arguments: dict[str, Any] = {"accelerator": "cpu", "max_epochs": 1, "logger": False}
    arguments |= {"limit_val_batches": 0, "log_every_n_steps": 1, "callbacks": [Quiet()]}
    quiet = ("enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    fitted = Trainer(**arguments | dict.fromkeys(quiet, False) | trainer)
    loader = DataLoader(data, batch_size=batch)
    # Nothing is validated, but its absence is warned of.
    fitted.fit(module, loader, loader, ckpt_path=ckpt_path)
    return fitted


def fitted(density: Density) -> Density:
    """Fit a density to a few random images, with a pattern for each label."""
    random = torch.Generator().manual_seed(1)
    y = torch.arange(max(density.num_classes, 3)).repeat(4)
    patterns = torch.rand(y.max() + 1, *density.image_shape, generator=random)
    x = patterns[y] + torch.rand(len(y), *density.image_shape, generator=random) - 1
    density.fit(x, y)
    return density


def nearly_black(count: int) -> Tensor:
    """Return images[count, 1, 12, 12] as MNIST's: black, white, and hardly any between."""
    random = torch.Generator().manual_seed(2)
    bright = torch.rand(count, 1, 12, 12, generator=random) * 200 - torch.arange(12.0) * 20
    return bright.clamp(-1, 1)


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])
