"""What the lab looks at: fixed reals and latents, D's field, losses, and where G is pulled to."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.losses import Loss
from gan_lightning.networks.base import Discriminator, Generator
from gan_lightning.pixels import to_unit_range
from gan_lightning.sampling.latents import sample_latents
from gan_lightning.training.gan import GANModule

SIDE = 40  # places along each side of D's field
POINTS = 100  # fakes and reals shown, of points
COLUMNS, ROWS = 10, 2  # of a grid of images


@dataclass(frozen=True)
class Panel:
    """What every look has in common, on the training device.

    Args:
        real: [N, C, H, W] in [-1, 1]; as many as latents, for losses that pair them.
        y: int64[N] of the reals, or None if D sees no label.
        z: [N, L].
        y_fake: int64[N] of the fakes, or None.
        answers: `probability` if sigmoid(logit) is D's P(real); `relative` if only differences
            of logits mean something, and sigmoid is taken of their distance from the middle.
    """

    real: Tensor
    y: Tensor | None
    z: Tensor
    y_fake: Tensor | None
    answers: str
    columns: int = COLUMNS


@dataclass(frozen=True)
class Look:
    """What is seen at one moment, on the CPU.

    Args:
        fakes: [N, C, H, W] of the fixed latents.
        losses: of D and of G on the panel, without penalty and head.
        means: of the answers, D(real) and D(fake).
        answers: [2 N], of the fakes, then of the reals.
        field: D's answers [SIDE, SIDE] in the square from -1 to 1, row by row of y; else empty.
        pulls: minus the gradient of G's loss at the fakes [N, 2]; else empty.
    """

    fakes: Tensor
    losses: list[float]
    means: list[float]
    answers: Tensor
    field: Tensor
    pulls: Tensor


def choose_panel(module: GANModule, data: DataModule, seed: int) -> Panel:
    """Choose the first reals, of images those of each label in turn, and as many latents.

    Raises:
        UserError: what D sees cannot be shown: rows of a table, points that are in no plane, or
            a field that is another for each label.
    """
    if data.table():
        raise UserError("callbacks=lab shows points and images, no rows of a table")
    dimensions = data.images.images.shape[1]
    if data.dots and dimensions != 2:
        raise UserError(f"callbacks=lab shows points of a plane: {data.name} has {dimensions}")
    generator, discriminator = module.generator, module.discriminator
    if data.dots and discriminator.num_classes:
        raise UserError("callbacks=lab: D's field is one for each label: set model.num_classes=0")
    images, labels = data.images.images, data.images.labels
    columns = len(data.classes[:COLUMNS]) or COLUMNS
    rows = torch.arange(min(POINTS if data.dots else columns * ROWS, len(images)))
    if not data.dots and data.classes:
        of = [torch.nonzero(labels == label).flatten()[:ROWS] for label in data.classes[:COLUMNS]]
        most = min(map(len, of))
        rows = torch.stack([one[:most] for one in of], dim=1).flatten()
    real, y = to_unit_range(images[rows]).to(module.device), labels[rows].to(module.device)
    z = sample_latents(seed, 0, len(real), generator.latent_dim).to(module.device)
    fake_y = generator.clusters(z) if generator.clusters else y
    known, asked = bool(discriminator.num_classes), bool(generator.num_classes)
    return Panel(
        real=real,
        y=module.labels(real, y) if known else None,
        z=z,
        y_fake=fake_y if known or asked else None,
        answers="probability" if module.loss.logits_mean == "probability" else "relative",
        columns=columns,
    )


@torch.no_grad()
def look(
    panel: Panel, generator: Generator, discriminator: Discriminator, loss: Loss, middle: float
) -> Look:
    """Look through copies of both networks; they change nothing that is trained."""
    y_d = panel.y_fake if discriminator.num_classes else None
    fakes = generator(panel.z, panel.y_fake if generator.num_classes else None).float()
    real_logits, fake_logits = discriminator(panel.real, panel.y), discriminator(fakes, y_d)
    losses = [
        loss.discriminator(real_logits, fake_logits).item(),
        loss.generator(fake_logits, real_logits if loss.relativistic else None).item(),
    ]
    answers = (torch.cat([fake_logits, real_logits]) - middle).sigmoid()
    field = pulls = torch.empty(0)
    if panel.real.shape[1:] == (2, 1, 1):
        line = torch.linspace(-1, 1, SIDE, device=panel.z.device)
        lattice = torch.cartesian_prod(line, line).flip(1)[:, :, None, None]  # row by row of y
        field = (discriminator(lattice) - middle).sigmoid().reshape(SIDE, SIDE)
        with torch.enable_grad():
            at = fakes.detach().requires_grad_()
            found = loss.generator(discriminator(at), real_logits if loss.relativistic else None)
            pulls = -torch.autograd.grad(found, at)[0].flatten(1)
    means = [answers[len(fakes) :].mean().item(), answers[: len(fakes)].mean().item()]
    return Look(fakes.cpu(), losses, means, answers.cpu(), field.cpu(), pulls.cpu())


@torch.no_grad()
def middle_of(panel: Panel, generator: Generator, discriminator: Discriminator) -> float:
    """Return the logit that counts as undecided: 0 of a probability, else between both means."""
    if panel.answers == "probability":
        return 0.0
    y_d = panel.y_fake if discriminator.num_classes else None
    fakes = generator(panel.z, panel.y_fake if generator.num_classes else None)
    both = discriminator(fakes, y_d).mean() + discriminator(panel.real, panel.y).mean()
    return both.item() / 2
