"""The table of four points: P(X, Y) and what follows from it, and two models that learn it."""

from argparse import ArgumentParser, Namespace
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from gan_lightning.cli.python import train
from gan_lightning.export.generator_file import load_generator
from gan_lightning.lecture.arguments import add_picture, add_seed, check
from gan_lightning.sampling.draw import sample
from gan_lightning.tables import read_schema

HELP = "P(X,Y), P(Y), P(X|Y), P(Y|X) of four points; samples; a GAN and a mixture that learn them"
POINTS = ((1, 0), (1, 0), (2, 0), (2, 1))
X, Y = (1, 2), (0, 1)
COPIES = 1000  # of each point in the models' table: one row of it is held out
MODELS = {
    "GAN": ("trainer.max_epochs=3",),
    "mixture": ("model=gmm", "model.generator.components=2", "model.generator.principal=1"),
}
QUIET = ("callbacks=none", "logger=csv", "trainer.accelerator=cpu")


def joint() -> np.ndarray:
    """Return P(X, Y) [2, 2]: how often each pair is among the points."""
    return np.array([[POINTS.count((x, y)) for y in Y] for x in X]) / len(POINTS)


def draw(count: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each pair [2, 2] is among draws of Y from P(Y), then of X from P(X|Y)."""
    p_y = joint().sum(axis=0)
    y = random.choice(len(Y), count, p=p_y)
    one = random.random(count) >= (joint() / p_y)[0, y]  # the second X, or the first
    return np.array([[np.mean((one == x) & (y == label)) for label in Y] for x in (0, 1)])


def learn(name: str, folder: Path, seed: int) -> Path:
    """Train a model on the points in `folder`; return its run."""
    table = folder / "points.csv"
    if not table.exists():
        lines = "".join(f"{x},{y}\n" for x, y in POINTS * COPIES)
        table.write_text(f"X,Y\n{lines}")
    data = ("data=table", f"data.root={table}", "data.label=Y", "data.test_fraction=1e-4")
    kinds = ("data.kinds={X:category,Y:category}", f"seed={seed}", f"run_dir={folder / name}")
    with redirect_stdout(StringIO()):
        return train([*data, *kinds, *QUIET, *MODELS[name]])


def drawn_by(run: Path, count: int, seed: int) -> np.ndarray:
    """Return how often each pair [2, 2] is among a trained model's samples."""
    generator = load_generator(run)
    schema = read_schema(generator.metadata.table)
    known = (generator.metadata.labels, generator.metadata.class_counts)
    points, y = sample(generator, count, seed, *known)
    assert y is not None  # the label is Y
    rows = schema.rows(points.flatten(1).numpy(), y.numpy())
    pairs = [(int(x), int(label)) for x, label in rows]
    return np.array([[pairs.count((x, label)) for label in Y] for x in X]) / count


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--samples", type=int, default=2000, help="of each; default: 2000")
    add_seed(parser, "draws and models")
    add_picture(parser, "the tables")


def main(asked: Namespace) -> str:
    """Show the tables; return how far the samples are from P(X, Y)."""
    check(asked, "samples")
    console, exact = Console(), joint()
    console.print(f"the points (X, Y): {', '.join(map(str, POINTS))}")
    console.print(shown("P(X,Y)", exact))
    console.print(shown("P(Y)", exact.sum(axis=0)[None], rows=("",)))
    console.print(shown("P(X|Y): each column sums to 1", exact / exact.sum(axis=0)))
    console.print(shown("P(Y|X): each row sums to 1", exact / exact.sum(axis=1, keepdims=True)))
    found = {"draws from P(Y), then P(X|Y)": draw(asked.samples, np.random.default_rng(asked.seed))}
    with TemporaryDirectory() as folder:
        for name in MODELS:
            run = learn(name, Path(folder), asked.seed)
            found[f"samples of the {name}"] = drawn_by(run, asked.samples, asked.seed)
    for name, table in found.items():
        console.print(shown(f"P(X,Y) of {asked.samples:,} {name}", table))
    if asked.picture:
        draw_tables({"the points": exact} | found, asked.picture)
    error = 1.96 * np.sqrt(exact * (1 - exact) / asked.samples).max()
    off = {name: np.abs(table - exact).max() for name, table in found.items()}
    words = "; ".join(f"{name}: {value:.3f}" for name, value in off.items())
    return f"largest difference from P(X,Y) (sampling error {error:.3f}, 95 %): {words}"


def draw_tables(tables: dict[str, np.ndarray], path: Path) -> None:
    """Write P(X, Y) of each as a picture: the darker, the more likely."""
    figure = Figure(figsize=(2.3 * len(tables), 2.6), layout="constrained")
    for axes, (name, table) in zip(figure.subplots(1, len(tables)), tables.items(), strict=True):
        axes.imshow(table, cmap="Blues", vmin=0, vmax=0.6)
        for (row, column), p in np.ndenumerate(table):
            colour = "white" if p > 0.3 else "black"
            axes.text(column, row, f"{p:.3f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(Y)), [f"Y={y}" for y in Y])
        axes.set_yticks(range(len(X)), [f"X={x}" for x in X])
        axes.set_title(name.replace(", then", ",\nthen").replace(" of the", "\nof the"), fontsize=9)
    figure.savefig(path, dpi=110)


def shown(title: str, values: np.ndarray, rows: tuple[str, ...] = ("X=1", "X=2")) -> Table:
    """Return a table of probabilities [rows, 2]."""
    table = Table("", *(f"Y={y}" for y in Y), title=title, title_justify="left")
    for name, row in zip(rows, values, strict=True):
        table.add_row(name, *(f"{value:.3f}" for value in row))
    return table
