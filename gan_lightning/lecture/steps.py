"""The two steps of training apart: what moves in each, and what is frozen."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from gan_lightning.data.points import RingDataModule
from gan_lightning.lecture.arguments import add_picture, add_seed, check
from gan_lightning.losses import NonSaturating
from gan_lightning.networks import ToyDiscriminator, ToyGenerator
from gan_lightning.penalties import R1
from gan_lightning.training import GANModule

HELP = "D's step and G's apart, on eight points of a ring: what moves, and what is frozen"
POINTS = 256  # in a batch
LATENT, SHAPE = 8, (2, 1, 1)
SIDE = 60  # places along each side of D's field


@dataclass(frozen=True)
class Stage:
    """How things were after a step.

    Args:
        moved: the largest move of a weight in this step, of D and of G.
        field: D's answers [SIDE, SIDE] in the square from -1 to 1.
        fakes: [N, 2].
        means: of D's answers about reals and about fakes.
    """

    name: str
    moved: dict[str, float]
    field: Tensor
    fakes: Tensor
    means: list[float]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--rounds", type=int, default=2, help="of both steps; default: 2")
    parser.add_argument("--updates", type=int, default=20, help="in each step; default: 20")
    parser.add_argument(
        "--turns", type=int, default=1000, help="of one each at last; default: 1000"
    )
    add_seed(parser, "weights and draws")
    add_picture(parser, "D's answers and the fakes after each step")


def main(asked: Namespace) -> str:
    """Show what each step moves; return the largest move of a frozen weight."""
    check(asked, "rounds", "updates", "turns")
    torch.manual_seed(asked.seed)
    training = Training()
    stages, frozen = [training.stage("at the start")], 0.0
    for _ in range(asked.rounds):
        for name, other in (("D", "G"), ("G", "D")):
            before = training.weights()
            training.update(name, asked.updates)
            moved = {key: furthest(before[key], now) for key, now in training.weights().items()}
            frozen = max(frozen, moved[other])
            stages.append(training.stage(f"{asked.updates} updates of {name}", moved))
    for _ in range(asked.turns):
        training.update("D")
        training.update("G")
    stages.append(training.stage(f"{asked.turns:,} of each in turn"))
    show(stages)
    if asked.picture:
        draw(stages, training.reals.flatten(1), asked.picture)
    return f"the largest move of a frozen weight: {frozen:g}"


class Training:
    """Two small networks and eight points of a ring; the objectives are those of a run."""

    def __init__(self) -> None:
        self.reals = RingDataModule(name="ring", size=POINTS, std=0.05).load(train=True)[0]
        adam = partial(torch.optim.Adam, lr=2e-3, betas=(0.0, 0.99))
        networks = ToyGenerator(LATENT, SHAPE), ToyDiscriminator(SHAPE)
        self.module = GANModule(*networks, NonSaturating(), adam, adam, penalty=R1(weight=0.01))
        self.objectives = {"D": self.module.d_loss, "G": self.module.g_loss}
        made = self.module.configure_optimizers()
        self.optimizers = dict(zip(self.module.stepped, made, strict=True))
        self.networks = {"D": self.module.discriminator, "G": self.module.generator}
        self.shown = torch.randn(POINTS, LATENT)

    def update(self, name: str, times: int = 1) -> None:
        """Step one network, the other frozen, as `GenerativeModule.update` does in a run."""
        for key, network in self.networks.items():
            network.requires_grad_(key == name)
        for _ in range(times):
            z, y = torch.randn(POINTS, LATENT), torch.zeros(POINTS, dtype=torch.int64)
            loss, _ = self.objectives[name](self.reals, y, z)
            self.optimizers[name].zero_grad()
            loss.backward()
            self.optimizers[name].step()

    def weights(self) -> dict[str, Tensor]:
        """Return all weights [N] of each network."""
        networks = self.networks.items()
        return {name: nn.utils.parameters_to_vector(net.parameters()) for name, net in networks}

    @torch.no_grad()
    def stage(self, name: str, moved: dict[str, float] | None = None) -> Stage:
        """Return how things are now; fakes are those of the same latents each time."""
        line = torch.linspace(-1, 1, SIDE)
        places = torch.cartesian_prod(line, line).flip(1)[:, :, None, None]  # row by row of y
        d, fakes = self.module.discriminator, self.module.generator(self.shown)
        means = [d(points).sigmoid().mean().item() for points in (self.reals, fakes)]
        field = d(places).sigmoid().reshape(SIDE, SIDE)
        return Stage(name, moved or {}, field, fakes.flatten(1), means)


def furthest(old: Tensor, new: Tensor) -> float:
    """Return the largest move of a weight."""
    return (new - old).abs().max().item()


def show(stages: list[Stage]) -> None:
    """Print how far each step moved the weights, and what D says after it."""
    table = Table("after", "largest move in G", "in D", "D(real)", "D(fake)")
    for one in stages:
        moves = [f"{one.moved[key]:.4f}" if one.moved.get(key) else "" for key in ("G", "D")]
        if one.moved:
            moves = [move or "0, frozen" for move in moves]
        table.add_row(one.name, *moves, *(f"{mean:.3f}" for mean in one.means))
    Console().print(table)


def draw(stages: list[Stage], reals: Tensor, path: Path) -> None:
    """Write a picture for each stage; grey lines are the way of the fakes in G's steps."""
    figure = Figure(figsize=(2.2 * len(stages), 2.7), layout="constrained")
    all_axes = figure.subplots(1, len(stages), squeeze=False)[0]
    image = None
    for i, (axes, one) in enumerate(zip(all_axes, stages, strict=True)):
        image = axes.imshow(
            one.field, extent=(-1, 1, -1, 1), origin="lower", cmap="RdBu", vmin=0, vmax=1
        )
        axes.scatter(*reals.T, s=3, color="black")
        if one.moved.get("G"):
            ways(axes, stages[i - 1].fakes, one.fakes)
        axes.scatter(*one.fakes.T, s=3, color="orange")
        axes.set_title(one.name, fontsize=9)
        axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[])
    assert image is not None
    figure.colorbar(image, ax=all_axes[-1], label="D(x)")
    figure.savefig(path, dpi=100)


def ways(axes: Axes, before: Tensor, after: Tensor) -> None:
    """Draw a line from where each of some fakes was to where it is."""
    for a, b in zip(before[::4], after[::4], strict=True):
        axes.plot(*torch.stack([a, b]).T, color="grey", linewidth=0.5)
