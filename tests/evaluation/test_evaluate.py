"""evaluate.py from end to end, and the parts between a score and the reader."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
from rich.console import Console

import evaluate as evaluate_script
from gan_lightning.cli.arguments import CONF, quote_lists
from gan_lightning.config.schema import plain_evaluate, register
from gan_lightning.data import DigitsDataModule
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import short_names
from gan_lightning.evaluation.default_data import own_reals
from gan_lightning.evaluation.evaluate import evaluate, find_network
from gan_lightning.evaluation.result_file import earlier_entries
from gan_lightning.evaluation.table import best, shown
from gan_lightning.export.generator_file import read_generator, save_generator
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.metrics import intervals
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.intervals import Score
from tests.conftest import NO_NETWORK, Command, Finished, compose_config, run_script
from tests.metrics.conftest import cache, digits, network

__all__ = ["cache", "digits", "network"]  # fixtures


@pytest.fixture(scope="module")
def record_file(
    finished_run_folder: Path, network: FeatureNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One evaluation of a conditional generator beside real digits in an NPZ file."""
    cwd = tmp_path_factory.mktemp("evaluation")
    reals = DigitsDataModule(name="digits").split(train=False)
    np.savez(cwd / "reals.npz", images=reals.images.numpy(), labels=reals.labels.numpy())
    config = compose_config(
        f"generator=[{finished_run_folder},{finished_run_folder}/generator.safetensors]",
        f"images=[{cwd}/reals.npz]",
        "data=digits",
        "num_samples=150",
        f"output={cwd}/found/evaluation.json",
        name="evaluate",
    )
    console = Console(file=io.StringIO(), width=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 3)  # of the bootstrap: they cost most
        evaluate(plain_evaluate(config), console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for word in ("FID", "recall", "150 samples each", network.unit, "reals.npz", "floor"):
        assert word in said
    return cwd / "found" / "evaluation.json"


@pytest.fixture(scope="module")
def finished_run_folder(finished_run: Finished) -> Path:
    (folder,) = finished_run.run_folders
    return folder


def test_the_record_holds_what_a_doubter_asks_for(
    record_file: Path, network: FeatureNetwork
) -> None:
    record = json.loads(record_file.read_text())
    assert record["unit"] == network.unit
    assert record["network"]["sha256"] == network.sha256
    assert record["num_samples"] == 150
    assert record["data"]["splits"]["train"]["images"] == 1500
    assert record["floor_samples"] == {"train": 150, "test": 150}
    assert record["definitions"]["fid"]["source"].startswith("Heusel")
    assert {"python", "torch", "torchmetrics"} <= set(record["versions"])
    assert [len(c["class_shares"]) for c in record["candidates"]] == [10, 10, 10]
    fake, _, real = (c["scores"] for c in record["candidates"])
    assert set(record["floors"]["own"]) - set(fake["own"]) == {"category_accuracy"}  # no codes
    for split in ("train", "test"):
        assert set(fake[split]) == set(record["floors"][split])
    assert real["train"]["fid"]["value"] < fake["train"]["fid"]["value"]
    # The test split against itself: its first 150 against all 297.
    assert real["test"]["fid"]["value"] < record["floors"]["test"]["fid"]["value"]
    assert real["test"]["fid"]["margin"] > 0
    assert real["own"]["cas"]["value"] > fake["own"]["cas"]["value"]
    picture = record_file.with_suffix(".png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000


def test_earlier_scores_stand_beside_new_ones_of_the_same_unit_alone(
    record_file: Path, tmp_path: Path
) -> None:
    current = json.loads(record_file.read_text())
    entries = earlier_entries(record_file, current)
    assert [e["name"].endswith("(earlier)") for e in entries] == [True] * 3
    changes = {
        "cannot be compared": {"unit": "00000000"},
        "num_samples=99": {"num_samples": 99},
        "other real images": {"data": {"splits": {}}},
        "no evaluation.json": {"candidates": [{"name": "x"}]},
    }
    for complaint, change in changes.items():
        other = tmp_path / "other.json"
        other.write_text(json.dumps(current | change))
        with pytest.raises(UserError, match=complaint):
            earlier_entries(other, current)
    other.write_text("[]")
    with pytest.raises(UserError, match=r"no evaluation\.json"):
        earlier_entries(other, current)


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (["generator=nowhere"], "generator=nowhere: no such file"),
        (["images=none.npz"], "images=none.npz"),
        (["num_samples=0", "generator=x"], "num_samples=0 must be"),
        (["output=x.txt", "generator=x"], r"end it in \.json"),
        ([], r"no generator\.safetensors below outputs/"),
    ],
)
def test_bad_input(
    overrides: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = compose_config("data=digits", *overrides, name="evaluate")
    with pytest.raises(UserError, match=complaint):
        evaluate(plain_evaluate(config), Console(quiet=True))


@pytest.mark.parametrize("name", ["x.json", "x.png"])
def test_nothing_is_overwritten_unasked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    config = compose_config("data=digits", "generator=y", "output=x.json", name="evaluate")
    with pytest.raises(UserError, match=f"output={name} exists"):
        evaluate(plain_evaluate(config), Console(quiet=True))


def test_reals_are_those_of_the_generator_unless_asked(
    network: FeatureNetwork, run_folder: Path, tmp_path: Path
) -> None:
    """The default, MNIST, is not what it was trained on. The whole command, in its own process."""
    few = (f"generator={run_folder}", "num_samples=100", "output=x.json")
    done = run_script(tmp_path, "evaluate.py", *few)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout
    data = json.loads((tmp_path / "x.json").read_text())["data"]
    assert data["name"] == "digits"
    assert [share > 0 for share in data["class_shares"]["train"]] == [True] * 10


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["data=digits", "data.channels=1", "data.resolution=28"]),
        ({"dataset": "my photos"}, []),
        ({"dataset": "image_folder"}, []),
        (
            {"dataset": "mnist", "classes": [3, 5], "image_shape": [1, 32, 32]},
            ["data=mnist", "data.channels=1", "data.resolution=32", "data.classes=[3, 5]"],
        ),
        (
            {"dataset": "stacked_mnist", "classes": [], "image_shape": [4, 28, 28]},
            ["data=stacked_mnist", "data.channels=4", "data.resolution=28"],
        ),
    ],
)
def test_own_reals(changes: dict[str, Any], expected: list[str]) -> None:
    known = {"class_name": "X", "arguments": {}, "latent_dim": 4, "num_classes": 0}
    known |= {"image_shape": [1, 28, 28], "classes": [*range(10)], "dataset": "digits"}
    register()
    with hydra.initialize_config_dir(CONF, version_base="1.3"):
        found = own_reals(GeneratorMetadata(**known | {"images_seen": 1} | changes))
        assert found == expected
        hydra.compose("evaluate", found)


def test_missing_reals_are_one_sentence_and_status_2(
    run_folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training would go on with the digits; a score against other reals would be a lie."""
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
    asked = (f"generator={run_folder}", "data.root=nowhere", "num_samples=100")
    done = command(*asked, script=evaluate_script)
    assert done.status == 2
    assert "mnist is not in" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_images_of_ones_own_have_to_be_named_again(
    run_folder: Path, command: Command, tmp_path: Path
) -> None:
    """A generator file does not tell where they are; MNIST in their place would be a lie."""
    generator, metadata, _ = read_generator(run_folder)
    mine = tmp_path / "mine.safetensors"
    save_generator(mine, generator, replace(metadata, dataset="image_folder"))
    done = command(f"generator={mine}", script=evaluate_script)
    assert done.status == 2
    assert f"{mine} was made of 'image_folder'" in done.err
    assert "such as data=image_folder data.root=DIR" in done.err


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [("nonsense", "must be classifier, inception"), ("none.pth", "no such file")],
)
def test_feature_networks_that_cannot_be_had(
    asked: str, complaint: str, network: FeatureNetwork, digits: DigitsDataModule
) -> None:
    with pytest.raises(UserError, match=complaint):
        find_network(asked, digits)


def test_inception_without_its_package(
    network: FeatureNetwork, digits: DigitsDataModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchmetrics.image.fid._TORCH_FIDELITY_AVAILABLE", False)
    with pytest.raises(UserError, match="pip install torch-fidelity"):
        find_network("inception", digits)


def test_lists_of_paths() -> None:
    assert quote_lists(["generator=a=1,b c,it's", "seed=1"]) == [
        r"generator=['a=1','b c','it\'s']",
        "seed=1",
    ]
    assert quote_lists(["generator=[a,b]", "generator=", "-m"]) == [
        "generator=[a,b]",
        "generator=",
        "-m",
    ]
    turned = quote_lists(["generator=a=1,b c,it's", "images=x.npz"])
    asked = plain_evaluate(compose_config(*turned, name="evaluate"))
    assert (asked.generator, asked.images) == (["a=1", "b c", "it's"], ["x.npz"])


def test_short_names() -> None:
    files = [Path("/o/a/x/generator.safetensors"), Path("/o/b/x/generator.safetensors")]
    assert short_names(files) == ["a/x", "b/x"]
    assert short_names([Path("/o/x.npz"), Path("/o/y.npz")]) == ["x.npz", "y.npz"]
    assert short_names([Path("/o/x.npz")] * 2) == ["x.npz (1)", "x.npz (2)"]


def test_the_best_is_the_lowest_the_highest_or_the_nearest_to_the_reals() -> None:
    three = [Score(2.0), Score(1.0), Score(math.nan)]
    assert best("fid", list(three), Score(0.1)) == 1
    assert best("precision", list(three), Score(0.9)) == 0
    assert best("class_entropy", list(three), Score(1.9)) == 0
    assert best("p_value", list(three), None) is None
    assert best("fid", [Score(1.0), None], None) is None


def test_numbers_are_shown_with_their_interval() -> None:
    assert shown("fid", Score(12.345, 0.5)) == "12.35 ± 0.50"
    assert shown("kid", Score(0.001)) == "1.000"
    assert shown("fid", Score(math.nan)) == "-"
    assert shown("p_value", Score(1e-12)) == "1e-12"
