"""`sample.py`: from what a run left to pictures and arrays."""

import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sample
from gan_lightning.export.generator_file import read_generator, save_generator
from tests.conftest import Finished

Command = Callable[..., str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run sample.py within this process (a start costs seconds); return what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.root, "handlers", [])

    def run(*overrides: str) -> str:
        monkeypatch.setattr(sys, "argv", ["sample.py", "accelerator=cpu", *overrides])
        sample.main()
        return capsys.readouterr().out

    return run


def refused(command: Command, capsys: pytest.CaptureFixture[str], *overrides: str) -> str:
    """Return the complaint of a call that ends with status 2."""
    with pytest.raises(SystemExit) as end:
        command(*overrides)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_by_default_a_grid_of_the_newest_run_beside_its_generator(
    finished_run: Finished, command: Command, tmp_path: Path
) -> None:
    shutil.copytree(finished_run.cwd / "outputs", tmp_path / "outputs")
    said = command()
    (grid,) = tmp_path.glob("outputs/*/*/sample-seed0.png")
    assert Image.open(grid).size == (302, 302)  # 10 x 10 of 28 pixels and a border of 2
    assert str(grid.relative_to(tmp_path)) in said
    assert "digits" in said
    assert [p.name for p in tmp_path.iterdir()] == ["outputs"]


def test_arrays(command: Command, run_folder: Path, tmp_path: Path) -> None:
    command(f"generator={run_folder}", "num_samples=12", "output=x.npz")
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["images"].shape == (12, 1, 28, 28)
        assert arrays["images"].dtype == np.uint8
        assert arrays["labels"].tolist() == [*range(10), 0, 1]


def test_a_folder_of_one_label(command: Command, run_folder: Path, tmp_path: Path) -> None:
    command(f"generator={run_folder}", "num_samples=3", "output=threes/", "label=3")
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("threes/*/*"))
    assert names == [f"threes/3/{i:06d}.png" for i in range(3)]


@pytest.mark.parametrize("source", ["", "/checkpoints/last.ckpt"])
def test_labels_are_drawn_as_often_as_the_images_have_them(
    command: Command, run_folder: Path, tmp_path: Path, source: str
) -> None:
    """The file says how often: the digits of the training split, less 100 held out."""
    joint = (f"generator={run_folder}{source}", "labels=joint", "output=x.npz", "overwrite=true")
    command(*joint, "num_samples=200")
    many = np.load(tmp_path / "x.npz")
    command(*joint, "num_samples=7")
    few = np.load(tmp_path / "x.npz")
    assert np.array_equal(few["labels"], many["labels"][:7])
    assert np.array_equal(few["images"], many["images"][:7])
    assert many["labels"].tolist() != [*range(10)] * 20
    assert set(many["labels"].tolist()) == set(range(10))
    command(*joint, "num_samples=7", "seed=1")
    assert np.load(tmp_path / "x.npz")["labels"].tolist() != few["labels"].tolist()
    _, metadata, _ = read_generator(run_folder)
    assert sum(metadata.class_counts) == 1400


def test_a_file_that_does_not_say_how_often_is_refused(
    command: Command, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files written before it was told can still be read."""
    generator, metadata, _ = read_generator(run_folder)
    silent = tmp_path / "silent.safetensors"
    save_generator(silent, generator, replace(metadata, class_counts=[]))
    command(f"generator={silent}", "num_samples=2", "output=x.npz")
    said = refused(command, capsys, f"generator={silent}", "labels=joint")
    assert "does not say how often" in said


def test_seed_and_index_decide_a_sample(command: Command, run_folder: Path, tmp_path: Path) -> None:
    source = f"generator={run_folder}"
    command(source, "num_samples=5", "output=few.npz")
    command(f"{source}/checkpoints/last.ckpt", "num_samples=120", "output=many.npz")
    command(source, "num_samples=5", "seed=1", "output=other.npz")
    few, many, other = (np.load(f"{name}.npz")["images"] for name in ("few", "many", "other"))
    assert np.array_equal(few, many[:5])
    assert not np.array_equal(few, other)


def test_what_is_there_stays(
    command: Command, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.png").write_text("precious")
    asked = (f"generator={run_folder}", "num_samples=1", "output=x.png")
    assert "overwrite=true" in refused(command, capsys, *asked)
    assert (tmp_path / "x.png").read_text() == "precious"
    command(*asked, "overwrite=true")
    assert Image.open(tmp_path / "x.png").size == (28, 28)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        pytest.param(["label=10"], "labels are 0, 1, 2", marks=pytest.mark.fault(44)),
        (["num_samples=0"], "num_samples=0"),
        (["seed=-1"], "seed=-1"),
        (["output=x.jpg"], "x.jpg"),
        (["generator=nowhere"], "nowhere"),
        (["labels=3"], "labels=3 must be one of turn, joint"),
        (["labels=joint", "label=3"], "give one of them"),
        (["truncation=0.5"], "DCGANGenerator has none"),
    ],
)
def test_bad_input_ends_with_2(
    command: Command,
    run_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    overrides: list[str],
    words: str,
) -> None:
    assert words in refused(command, capsys, f"generator={run_folder}", *overrides)
    assert list(tmp_path.iterdir()) == []


def test_without_a_run_the_message_says_how_to_get_one(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "python train.py" in refused(command, capsys)
