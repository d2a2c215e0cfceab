"""Why pixels go from (0, 1) to (-1, 1), and why a generator ends in tanh."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor

from gan_lightning.lecture.arguments import add_picture, check
from gan_lightning.pixels import to_uint8, to_unit_range

HELP = "pixels on their way to the networks and back; tanh beside the sigmoid"
PIXELS = (0, 1, 64, 128, 192, 255)  # in the table
OUTPUTS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}  # functions a network can end in


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    add_picture(parser, "both functions and their slopes")


def slope(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Return the derivative at each place [N]."""
    at = at.clone().requires_grad_()
    (found,) = torch.autograd.grad(function(at).sum(), at)
    return found


def main(asked: Namespace) -> str:
    """Show some pixels and the slopes; return how many pixels come back as they were."""
    check(asked)
    table = Table("pixel", "(0, 1)", "(-1, 1)", "before tanh", "and back")
    for pixel in PIXELS:
        x = to_unit_range(torch.tensor([pixel], dtype=torch.uint8))
        words = (f"{pixel / 255:.3f}", f"{x.item():+.3f}", f"{torch.atanh(x).item():+.2f}")
        table.add_row(str(pixel), *words, str(to_uint8(x).item()))
    Console().print(table)
    zero = torch.zeros(1)
    steep = {name: slope(function, zero).item() for name, function in OUTPUTS.items()}
    pixels = torch.arange(256, dtype=torch.uint8)
    same = int((to_uint8(to_unit_range(pixels)) == pixels).sum())
    if asked.picture:
        draw(asked.picture)
    slopes = ", ".join(f"{name} {value:.2f}" for name, value in steep.items())
    return f"slope at 0: {slopes}; {same} of {len(pixels)} pixels come back as they were"


def draw(path: Path) -> None:
    """Write the functions, and the slopes through which a generator's gradient goes."""
    at = torch.linspace(-5, 5, 201)
    figure = Figure(figsize=(9, 3), layout="constrained")
    values, slopes = figure.subplots(1, 2)
    for name, function in OUTPUTS.items():
        values.plot(at, function(at), label=name)
        slopes.plot(at, slope(function, at), label=name)
    values.set(title="a network's last function", xlabel="its input", ylabel="pixel")
    slopes.set(title="its slope: what is left of the gradient", xlabel="its input")
    for axes in (values, slopes):
        axes.axhline(0, color="grey", linewidth=0.5)
        axes.legend()
    figure.savefig(path, dpi=100)
