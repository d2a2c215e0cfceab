"""The model card: what the Hub reads, what the run recorded, and nothing of one's own machine."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gan_lightning.export.folder import Asked, export
from gan_lightning.system.files import sha256
from tests.conftest import ROOT
from tests.export.exported import generator_file


def card_of(generator: Path, output: Path, **asked: Any) -> str:
    folder = export(Asked(str(generator), "torch", str(output), **asked), str)
    return (folder / "README.md").read_text()


def front_matter(card: str) -> dict[str, Any]:
    (found,) = re.findall(r"\A---\n(.*?)\n---\n", card, re.S)
    content = yaml.safe_load(found)
    assert isinstance(content, dict)
    return content


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """Return a copy of the run of tests/old with its evaluation beside it."""
    run = tmp_path / "run"
    shutil.copytree(ROOT / "tests" / "old" / "run", run)
    shutil.copy(ROOT / "tests" / "old" / "evaluation.json", run)
    return run


def test_what_the_run_recorded(old_run: Path, tmp_path: Path) -> None:
    card = card_of(old_run, tmp_path / "out")
    assert "# DCGANGenerator, digits" in card
    assert "python train.py experiment=quickstart model.generator.width=4" in card
    assert "| loss | `NonSaturating` |" in card
    assert "| optimizer | `Adam(" in card
    assert "2,944 images seen" in card
    # The value with its margin, and the floor, of evaluation.json; KID by the thousand.
    assert "| FID ↓, against the training images | 212 ± 0.95 | 4.693 |" in card
    assert "| KID x 1000 ↓, against the training images | 1.079e+04 ± 320 | 42.55 ± 69 |" in card
    assert "on 500 samples against digits, unit ac7c1ecc" in card
    assert "stands on 297 (against the training images)" in card
    assert "no Inception FID compares" in card
    assert (tmp_path / "out" / "usage.py").read_text() in card
    assert "![100 images, labels in turn](samples.png)" in card


def test_scores_of_another_file_are_not_taken(old_run: Path, tmp_path: Path) -> None:
    file = generator_file(tmp_path / "b", "MLPGenerator", num_classes=3)
    shutil.copy(old_run / "evaluation.json", file.parent)
    (file.parent / "run.json").write_text("{")
    (file.parent / "config.yaml").write_text("a: [")
    card = card_of(file, tmp_path / "out")
    assert "None were measured." in card
    assert "python train.py" not in card


def test_scores_without_sections(tmp_path: Path) -> None:
    """As evaluate.py records modes, and rows of a table."""
    file = generator_file(tmp_path / "a", "ToyGenerator", image_shape=[2, 1, 1])
    record = {
        "unit": "rows",
        "data": {"name": "ring"},
        "num_samples": 500,
        "floor": {"modes": 8, "high_quality": 0.989},
        "candidates": [
            {"sha256": sha256(file), "scores": {"modes": 8, "high_quality": 0.9, "learnt": {}}}
        ],
    }
    (file.parent / "evaluation-1.json").write_text(json.dumps(record))
    card = card_of(file, tmp_path / "out")
    assert "| high quality | 0.9 | 0.989 |" in card
    assert "learnt" not in card
    assert "Inception" not in card
    assert "![2,000 points](samples.png)" in card


def test_paths_of_ones_own_machine_stay_there(tmp_path: Path) -> None:
    file = generator_file(tmp_path / "a", "MLPGenerator")
    overrides = ["data=array", "data.root=/home/me/x.npz", "+x=~/y", "seed=1"]
    (file.parent / "run.json").write_text(json.dumps({"overrides": overrides}))
    card = card_of(file, tmp_path / "out")
    assert "python train.py data=array data.root=PATH +x=PATH seed=1" in card
    assert "/home" not in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize("classes", [0, 3])
def test_front_matter(classes: int, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    file = generator_file(tmp_path / "a", "MLPGenerator", num_classes=classes)
    card_of(file, tmp_path / "out")
    data = hub.ModelCard.load(tmp_path / "out" / "README.md").data.to_dict()
    assert data["license"] == "apache-2.0"
    assert data["library_name"] == "gan-lightning"
    assert {"gan-lightning", "digits", "pytorch", "image-generation"} <= set(data["tags"])
    assert ("pipeline_tag" in data) == (classes == 0)


def test_the_hubs_name_of_the_data(tmp_path: Path) -> None:
    from gan_lightning.export import card
    from gan_lightning.export.metadata import GeneratorMetadata

    fields = (64, [1, 28, 28], 10, list(range(10)), "fashion_mnist", 1)
    text = card.front_matter(GeneratorMetadata("DCGANGenerator", {}, *fields), "onnx", rows=False)
    assert front_matter(text)["datasets"] == ["zalando-datasets/fashion_mnist"]
    assert "onnxruntime" in front_matter(text)["tags"]


def test_a_truncated_program_says_so(tmp_path: Path) -> None:
    file = generator_file(tmp_path / "a", "StyleGAN2Generator")
    card = card_of(file, tmp_path / "out", truncation=0.5)
    assert "truncates its styles by 0.5" in card
