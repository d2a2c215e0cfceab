"""The discriminator of a run as judge: P(fake | features) of test images and of samples."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.data.held_out import held_out
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import newest_generator
from gan_lightning.lecture.trained import trained_module, trained_on
from gan_lightning.pixels import to_unit_range
from gan_lightning.sampling.draw import sample
from gan_lightning.training import GANModule

HELP = "P(fake | features) of test images and of fresh samples, by the discriminator of a run"
SHOWN = 5  # images of each kind
CHUNK = 200  # images at a time


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--run", type=Path, default=None, help="a run folder; default: the newest")
    parser.add_argument("--images", type=int, default=1000, help="of each kind; default: 1000")
    parser.add_argument("--seed", type=int, default=0, help="of the samples; default: 0")


def main(asked: Namespace) -> str:
    """Show what D thinks of some images, and return how often it is right."""
    if asked.images < 1:
        raise UserError(f"--images {asked.images} must be at least 1")
    if asked.seed < 0:
        raise UserError(f"--seed {asked.seed} must be at least 0")
    run = asked.run or newest_generator(Path("outputs"))
    module = trained_module(run)
    if not isinstance(module, GANModule):
        raise UserError(f"{run} is no GAN: it has no discriminator that could judge")
    if module.loss.logits_mean != "probability":
        raise UserError(
            f"{run}: D of this loss gives a score, no probability: train with loss=nonsaturating"
        )
    if module.discriminator.num_classes and not (module.generator.num_classes or module.clusters):
        raise UserError(f"{run}: D sees labels that its generator is not asked for")
    data = trained_on(run)
    kinds = {"real": reals(data, asked.images), "fake": fakes(data, module, asked)}
    found = {kind: p_fake(module, *pair) for kind, pair in kinds.items()}
    table = Table("image", "P(fake | features)", "verdict")
    for kind, p in found.items():
        for i, one in enumerate(p[:SHOWN].tolist()):
            table.add_row(f"{kind} {i}", f"{one:.3f}", "fake" if one > 0.5 else "real")
    Console().print(table)
    caught = (found["fake"] > 0.5).float().mean().item()
    let_by = (found["real"] <= 0.5).float().mean().item()
    counts = f"of {len(found['real']):,} test images and {len(found['fake']):,} samples of {run}"
    return (
        f"right about {let_by:.1%} and {caught:.1%} {counts}; "
        f"mean P(fake) {found['real'].mean().item():.3f} and {found['fake'].mean().item():.3f}"
    )


def reals(data: DataModule, count: int) -> tuple[Tensor, Tensor]:
    """Return images in [-1, 1] that the run was not trained on, and their labels."""
    images = held_out(data)
    if not len(images):
        raise UserError(f"{data.name} has no images that were not trained on")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]
    x, y = images[order]
    return to_unit_range(x), y


def fakes(data: DataModule, module: GANModule, asked: Namespace) -> tuple[Tensor, Tensor]:
    """Return fresh samples of the averaged generator as it is last, and the labels asked for."""
    generator = module.average.generator
    known = (data.classes, data.class_counts()) if generator.num_classes else ((), ())
    x, y = sample(generator, asked.images, asked.seed, *known)
    return x, torch.zeros(len(x), dtype=torch.int64) if y is None else y


@torch.no_grad()
def p_fake(module: GANModule, x: Tensor, y: Tensor) -> Tensor:
    """Return P(fake | features) [B] of images in [-1, 1]: 1 - D(x)."""
    given = bool(module.discriminator.num_classes)
    logits = [
        module.discriminator(images, module.labels(images, labels) if given else None)
        for images, labels in zip(x.split(CHUNK), y.split(CHUNK), strict=True)
    ]
    return 1 - torch.cat(logits).sigmoid()
