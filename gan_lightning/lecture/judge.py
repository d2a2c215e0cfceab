"""The discriminator of a run as judge: P(fake | features) of test images and of samples."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.data.held_out import held_out
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import newest_generator
from gan_lightning.lecture.arguments import add_picture, add_seed, check
from gan_lightning.lecture.trained import trained_module, trained_on
from gan_lightning.pixels import to_uint8, to_unit_range, visible
from gan_lightning.sampling.draw import sample
from gan_lightning.training import GANModule

HELP = "P(fake | features) of test images and of fresh samples, by the discriminator of a run"
SHOWN = 5  # images of each kind
CHUNK = 200  # images at a time


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--run", type=Path, default=None, help="a run folder; default: the newest")
    parser.add_argument("--images", type=int, default=1000, help="of each kind; default: 1000")
    add_seed(parser, "the samples")
    add_picture(parser, "the images, with what D says of each")


def main(asked: Namespace) -> str:
    """Show what D thinks of some images, and return how often it is right."""
    check(asked, "images")
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
            table.add_row(f"{kind} {i}", f"{one:.3f}", verdict(one))
    Console().print(table)
    if asked.picture:
        draw({kind: (kinds[kind][0], p) for kind, p in found.items()}, asked.picture)
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


def draw(kinds: dict[str, tuple[Tensor, Tensor]], path: Path) -> None:
    """Write a row of images of each kind, (x, P(fake)), with the verdict above each."""
    figure = Figure(figsize=(1.5 * SHOWN, 1.9 * len(kinds)), layout="constrained")
    all_axes = figure.subplots(len(kinds), SHOWN, squeeze=False)
    for axes_of_kind, (kind, (x, p)) in zip(all_axes, kinds.items(), strict=True):
        axes_of_kind[0].set_ylabel(kind)
        for axes in axes_of_kind:
            axes.set(xticks=[], yticks=[], frame_on=False)
        for axes, image, one in zip(axes_of_kind, visible(to_uint8(x[:SHOWN])), p, strict=False):
            axes.imshow(image.permute(1, 2, 0), cmap="gray", vmin=0, vmax=255)
            axes.set_title(f"P(fake) = {one:.2f}:\n{verdict(one)}", fontsize=9)
    figure.savefig(path, dpi=100)


def verdict(p: float | Tensor) -> str:
    """Return what is more likely."""
    return "fake" if p > 0.5 else "real"
