"""The grid of samples: what stands in which row."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lightning.callbacks import SampleGrid
from gan_lightning.data import ImageDataModule
from gan_lightning.networks import Generator
from gan_lightning.pixels import BORDER

SIDE, COLUMNS = 4, 3


class Telltale(Generator):
    """An image's brightness says its label or category, one corner pixel its latent."""

    def __init__(self, num_classes: int = 0, codes: tuple[int, int] = (0, 0)) -> None:
        super().__init__(6, [1, SIDE, SIDE], num_classes, codes=codes)
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        kind = self.latent_codes.category(z) if y is None and self.latent_codes.categories else y
        shade = torch.zeros(len(z)) if kind is None else kind / 4 - 1
        images = shade[:, None, None, None].expand(-1, 1, SIDE, SIDE).clone()
        images[:, 0, 0, 0] = z[:, -1].tanh()
        return images


def cells(generator: Generator, classes: list[int], **arguments: Any) -> Tensor:
    """Return the grid as [rows, columns, SIDE, SIDE]."""
    module: Any = SimpleNamespace(average=SimpleNamespace(generator=generator))
    data = ImageDataModule("data", resolution=SIDE, classes=classes)
    grid = SampleGrid("nowhere", columns=COLUMNS, **arguments).fake_grid(module, data)
    step = SIDE + BORDER
    return grid[0, BORDER:, BORDER:].unfold(0, SIDE, step).unfold(1, SIDE, step)


def test_a_row_a_class() -> None:
    found = cells(Telltale(num_classes=5), [1, 4], most_rows=9)
    assert found.shape[:2] == (2, COLUMNS)
    for row, label in enumerate([1, 4]):
        assert torch.all(found[row, :, 1, 1] == torch.tensor(label / 8 * 255).round().byte())


def test_a_row_a_category_of_the_same_latents() -> None:
    found = cells(Telltale(codes=(4, 1)), [0, 1, 2])
    assert found.shape[:2] == (4, COLUMNS)
    for row in range(4):
        assert torch.all(found[row, :, 1, 1] == torch.tensor(row / 8 * 255).round().byte())
        assert torch.equal(found[row, :, 0, 0], found[0, :, 0, 0])
    assert len(found[0, :, 0, 0].unique()) == COLUMNS


@pytest.mark.parametrize("generator", [Telltale(num_classes=9), Telltale(codes=(5, 0))])
def test_no_more_rows_than_asked(generator: Generator) -> None:
    assert cells(generator, [*range(9)], most_rows=2).shape[:2] == (2, COLUMNS)


def test_rows_of_neither() -> None:
    found = cells(Telltale(), [0, 1], rows=5)
    assert found.shape[:2] == (5, COLUMNS)
    assert len(found[:, :, 0, 0].unique()) > 4 * COLUMNS
