"""Whether a generator's own categories are the classes, on cases with known answers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.config.schema import EvaluateConfig
from gan_lightning.data import DigitsDataModule
from gan_lightning.evaluation import candidates
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.metrics.label_scores import category_accuracy
from gan_lightning.networks import Generator


def logits(classes: Tensor, num_classes: int = 10) -> Tensor:
    return F.one_hot(classes, num_classes).float()


def test_another_order_of_the_classes_is_as_good() -> None:
    categories = torch.arange(10).repeat(20)
    classes = (3 * categories + 1) % 10
    assert category_accuracy(logits(classes), categories).value == 1.0


def test_two_categories_of_one_class_count_once() -> None:
    categories = torch.arange(10).repeat(20)
    classes = categories.where(categories != 9, 8)
    assert category_accuracy(logits(classes), categories).value == pytest.approx(0.9)


@pytest.mark.parametrize(("count", "expected"), [(4, 1.0), (20, 0.5)])
def test_as_many_categories_as_classes_are_not_needed(count: int, expected: float) -> None:
    categories = torch.arange(count).repeat(10)
    assert category_accuracy(logits(categories % 10), categories).value == expected


def test_categories_that_mean_nothing() -> None:
    torch.manual_seed(0)
    categories, classes = torch.randint(10, (2, 20_000))
    assert category_accuracy(logits(classes), categories).value == pytest.approx(0.1, abs=0.02)


class Telling(Generator):
    """Paints an image in the gray of its latent's category."""

    def __init__(self) -> None:
        super().__init__(latent_dim=16, image_shape=[1, 4, 4], codes=[10, 0])
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        gray = self.latent_codes.category(z) / 5.0 - 1.0
        return gray[:, None, None, None].expand(-1, 1, 4, 4)


def test_candidates_know_the_categories_of_their_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "generator.safetensors"
    file.touch()
    metadata = GeneratorMetadata("Telling", {}, 16, [1, 4, 4], 0, [], "none", 0)
    monkeypatch.setattr(candidates, "read_generator", lambda *_: (Telling(), metadata, file))
    asked = EvaluateConfig(generator=[str(file)], images=[], num_samples=150, seed=3)
    (found,) = candidates.collect(asked, DigitsDataModule())
    assert found.categories is not None
    grays = found.images[:, 0, 0, 0].double() / 127.5
    assert ((grays * 5.0).round().long() == found.categories).all()
    assert len(found.first(7).categories) == 7
