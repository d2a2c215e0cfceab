"""Rows of a table in the place of images: splits, labels, what the config counts, and pictures."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lightning.data import DataModule, TableDataModule, table_size
from gan_lightning.errors import UserError
from gan_lightning.lecture.marks import marks
from gan_lightning.metrics.tables import table_scorer
from gan_lightning.pixels import COLOURS, REAL


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [("physics", "maths", "town", "y"), *((a, b, "Ulm", y) for a, b, y in marks(200, 1))]
    path = tmp_path / "marks.csv"
    path.write_text("".join(",".join(line) + "\n" for line in lines))
    return path


def ready(file: Path, **arguments: Any) -> TableDataModule:
    counted = table_size({"root": str(file), **arguments})
    sizes = {key: counted[key] for key in ("channels", "num_classes")}
    data = TableDataModule(str(file), **sizes | arguments)
    data.prepare_data()
    data.setup()
    return data


def test_rows_are_points_with_labels(file: Path) -> None:
    data = ready(file, batch_size=16)
    points, labels = next(iter(data.train_dataloader()))
    assert (points.shape, points.dtype) == ((16, 2, 1, 1), torch.float32)
    assert set(labels.tolist()) == {0, 1}
    assert data.class_names() == ["easy", "hard"]
    train, test = data.split(train=True), data.split(train=False)
    assert (len(train), len(test)) == (180, 20)
    assert sum(data.class_counts()) == 180
    whole = torch.cat([train.images, test.images]).flatten(1)
    assert whole.abs().max() == pytest.approx(0.9)
    assert whole.mean(0) == pytest.approx(torch.zeros(2), abs=1e-6)
    wanted = {tuple(map(float, row[:2])) for row in marks(200, 1)}
    found = data.schema.decode(whole.numpy())[:2]
    assert {(round(a, 1), round(b, 1)) for a, b in zip(*found, strict=True)} == wanted


def test_held_out_rows_do_not_depend_on_the_seed(file: Path) -> None:
    one, other = ready(file, seed=0), ready(file, seed=1)
    assert torch.equal(one.split(train=False).images, other.split(train=False).images)


def test_the_config_counts(file: Path) -> None:
    counted = {"channels": 2, "num_classes": 2, "categories": [], "repeat": 250}
    assert table_size({"root": str(file)}) == counted
    without = table_size({"root": str(file), "label": None})
    assert without == counted | {"channels": 4, "num_classes": 0, "categories": [2]}
    assert table_size({"root": "nowhere.csv"})["channels"] == 1


def test_labels_may_be_left_out(file: Path) -> None:
    data = ready(file, num_classes=0)
    assert data.class_counts() == []
    assert data.images.labels.unique().tolist() == [0]


def test_one_row_has_nothing_to_learn(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"one.csv has 1 row, and no column varies"):
        ready(tmp_path / "one.csv")


def test_two_rows_are_one_to_learn_and_one_to_test(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("a\n1\n2\n")
    data = ready(tmp_path / "two.csv")
    assert (len(data.images), len(data.split(train=False))) == (1, 1)


def test_a_picture_has_a_colour_a_class(file: Path) -> None:
    data = ready(file)
    points = torch.tensor([[0.5, 0.5], [-0.5, -0.5]])[:, :, None, None]
    picture = data.picture(points, labels=torch.tensor([0, 1]))
    colours = {tuple(colour) for colour in picture.flatten(1).T.tolist()}
    assert colours >= {COLOURS[0], COLOURS[1], REAL}
    assert {*COLOURS[:2]}.isdisjoint(
        {tuple(colour) for colour in data.picture().flatten(1).T.tolist()}
    )


def test_the_scores_see_what_is_wrong(file: Path) -> None:
    data = ready(file)
    scorer = table_scorer(data)
    assert scorer is not None
    reals = data.images.images.flatten(1)
    assert scorer.scores(reals) == pytest.approx({"ks": 0, "correlation": 0, "gap": 0}, abs=1e-6)
    assert scorer.scores(reals + 2)["ks"] == pytest.approx(1)
    apart = torch.stack([reals[:, 0], reals[:, 1].flip(0)], dim=1)
    found = scorer.scores(apart)
    assert found["ks"] == pytest.approx(0, abs=1e-6)
    assert found["correlation"] > 0.5
    assert table_scorer(DataModule("other")) is None
