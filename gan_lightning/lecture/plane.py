"""P(Y | X) beside P(X | Y) P(Y), of the students' marks: what each of the two models knows."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.lecture.arguments import add_picture, add_seed, check
from gan_lightning.lecture.marks import EXAMS, marks
from gan_lightning.networks import GaussianMixture

HELP = "a student's marks: P(Y|X) by a discriminative model, P(X|Y) P(Y) by a generative one"
LABELS = tuple(EXAMS)
TRAINED = 450  # students; the others are tested
REACH = 4.0  # standard deviations that fit [-1, 1]
SIDE = 101  # places along each axis of the picture
DRAWN = 200  # students


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--physics", type=float, default=65.0, help="of a new student; default: 65")
    parser.add_argument("--maths", type=float, default=60.0, help="of a new student; default: 60")
    add_seed(parser, "the generated students")
    add_picture(parser, "both models in the plane of the marks")


@dataclass(frozen=True)
class Models:
    """A model of each kind, fitted to the same students.

    Args:
        x: their marks [N, 2], physics and maths.
        y: int64[N], the place of each one's label in LABELS.
    """

    x: Tensor
    y: Tensor
    discriminative: Any  # logistic regression
    generative: GaussianMixture  # one Gaussian for each label

    @classmethod
    def fit(cls, x: Tensor, y: Tensor) -> "Models":
        from sklearn.linear_model import LogisticRegression  # slow import

        gaussians = GaussianMixture((2, 1, 1), len(LABELS), principal=2, components=1)
        made = cls(x, y, LogisticRegression(), gaussians)
        made.discriminative.fit(made.scaled(x).numpy(), y.numpy())
        gaussians.fit(made.scaled(x)[:, :, None, None], y)
        return made

    def scaled(self, x: Tensor) -> Tensor:
        return (x - self.x.mean(0)) / (REACH * self.x.std(0))

    def conditional(self, x: Tensor) -> Tensor:
        """Return P(y | x) [B, K] by the discriminative model."""
        return torch.from_numpy(self.discriminative.predict_proba(self.scaled(x).numpy()))

    def joint(self, x: Tensor) -> Tensor:
        """Return p(x, y) [B, K] of marks by the generative model, per square point."""
        log_p = self.generative.log_joint(self.scaled(x)[:, :, None, None])
        return log_p.exp() / (REACH * self.x.std(0)).prod()

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return new students: y from P(Y), then x from p(x | y)."""
        random = torch.Generator().manual_seed(seed)
        y = torch.multinomial(self.generative.prior, count, replacement=True, generator=random)
        z = torch.randn(count, self.generative.latent_dim, generator=random)
        x = self.generative(z, y).flatten(1) * REACH * self.x.std(0) + self.x.mean(0)
        return x, y


def main(asked: Namespace) -> str:
    """Show what both say of a new student; return how often each is right about others."""
    check(asked)
    for name in ("physics", "maths"):
        if not 0 <= (mark := getattr(asked, name)) <= 100:
            raise UserError(f"--{name} {mark} must be from 0 to 100")
    rows = marks()
    x = torch.tensor([(float(a), float(b)) for a, b, _ in rows])
    y = torch.tensor([LABELS.index(label) for *_, label in rows])
    models = Models.fit(x[:TRAINED], y[:TRAINED])
    new = torch.tensor([[asked.physics, asked.maths]])
    both = {"logistic regression": models.conditional, "Gaussians": models.joint}
    joint = models.joint(new)[0]
    answers = {
        "P(Y | x), logistic regression": models.conditional(new)[0],
        "p(x | Y) P(Y), a Gaussian each": joint,
        "P(Y | x), by division": joint / joint.sum(),
    }
    table = Table("", *(f"Y={label}" for label in LABELS), "the larger")
    for name, p in answers.items():
        table.add_row(name, *(f"{v:.3g}" for v in p.tolist()), LABELS[int(p.argmax())])
    console = Console()
    console.print(f"a new student x: physics {asked.physics:g}, maths {asked.maths:g}")
    console.print(table)
    if asked.picture:
        draw(models, new[0], asked.seed, asked.picture)
    found = {
        n: (ask(x[TRAINED:]).argmax(1) == y[TRAINED:]).float().mean() for n, ask in both.items()
    }
    words = ", ".join(f"{name} {share:.0%}" for name, share in found.items())
    return f"right about {len(rows) - TRAINED} other students: {words}"


def draw(models: Models, new: Tensor, seed: int, path: Path) -> None:
    """Write P(Y|X) with its border, and P(X|Y) P(Y) with students drawn from it."""
    line = torch.linspace(20, 100, SIDE)
    places = torch.cartesian_prod(line, line).flip(1)  # x, y of each row of y
    fields = [ask(places).T.reshape(-1, SIDE, SIDE) for ask in (models.conditional, models.joint)]
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    edges = (20, 100, 20, 100)
    left.imshow(
        fields[0][0],
        extent=edges,
        origin="lower",
        cmap="RdBu",
        vmin=0,
        vmax=1,
        alpha=0.6,
        aspect="auto",
    )
    left.contour(line, line, fields[0][0], levels=[0.5], colors="black")
    left.set_title(f"discriminative: P({LABELS[0]} | marks)", fontsize=10)
    right.set_title("generative: P(marks | Y) P(Y)", fontsize=10)
    drawn = models.draw(DRAWN, seed)
    for label, (name, colour) in enumerate(zip(LABELS, ("tab:blue", "tab:red"), strict=True)):
        right.contour(line, line, fields[1][label], colors=colour, levels=6, linewidths=0.7)
        for axes, (x, y) in ((left, (models.x, models.y)), (right, drawn)):
            axes.scatter(*x[y == label].T, s=6, color=colour, label=name)
    for axes in (left, right):
        axes.scatter(*new, marker="*", s=160, color="gold", edgecolor="black", label="new student")
        axes.set(xlabel="physics", xlim=edges[:2], ylim=edges[2:])
        axes.legend(loc="upper left", fontsize=8)
    left.set_ylabel("maths")
    figure.savefig(path, dpi=100)
