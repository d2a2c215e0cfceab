"""`sample.py mode=...`: every mode by its command, on what a run left."""

from pathlib import Path

import pytest
from PIL import Image

import sample
from tests.conftest import CONF, Command

NEEDS_MORE = {"mix", "invert", "judge", "best"}  # styles, an image, or D: tested elsewhere
MODES = sorted({file.stem for file in CONF.glob("mode/*.yaml")} - NEEDS_MORE)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_leaves_a_picture(
    mode: str, command: Command, run_folder: Path, tmp_path: Path
) -> None:
    asked = (f"mode={mode}", f"generator={run_folder}", "output=x.png", "accelerator=cpu")
    ended = command(*asked, script=sample)
    assert ended.status == 0, ended.err
    assert str(run_folder) in ended.out
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width > 100


def test_a_sample_is_found_again(command: Command, run_folder: Path, tmp_path: Path) -> None:
    of = f"generator={run_folder}"
    assert command(of, "num_samples=1", "output=one.png", script=sample).status == 0
    asked = ("mode=invert", "image=one.png", "output=x.gif", "mode.steps=20")
    ended = command(of, *asked, script=sample)
    assert ended.status == 0
    assert "one.png: error 0.0" in ended.out
    assert "label 0" in ended.out


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["mode=mix"], "has no styles: train model=stylegan2"),
        (["mode=invert"], "mode=invert needs image=FILE"),
        (["mode=traverse", "mode.dims=[999]"], "mode.dims=[999]"),
        (["mode=traverse", "mode.steps=0"], "mode.steps=0 must be a whole number at least 1"),
        (["mode=interpolate", "mode.between=x"], "mode.between=x"),
        (["mode=interpolate", "output=x.csv"], "draws images, not rows"),
        (["mode=grid", "output=x.gif"], "end it in .png"),
        (["mode=judge", "output=x.npz"], "end it in .png"),
        (["mode=sefa", "mode.nonsense=1"], "nonsense"),
        (["mode=nonsense"], "nonsense"),
        (["mode=traverse", "output=there.png"], "there.png exists"),
        (["mode=traverse", "output=there.png/x.png"], "there.png is no folder"),
        (["mode=traverse", "mode.dims=[-1]"], "mode.dims=[-1] must be a list of whole numbers"),
        (["mode=traverse", "mode.dims=3"], "mode.dims=3 must be a list of whole numbers"),
        (["mode=interpolate", "mode.seeds=[-1]"], "must be a list of seeds such as [3,7]"),
        (["mode=interpolate", "mode.rows=100000000"], "at most 1000"),
        (["mode=interpolate", "mode.stops=1"], "a path has at least two stops"),
        (["mode=interpolate", "mode.between=classes", "label=3"], "leave out label="),
        (["mode=interpolate", "labels=joint"], "mode=interpolate takes labels in turn"),
        (["mode=sefa", "mode.directions=1000"], "mode.directions=1000: there are"),
        (["mode=invert", "mode.restarts=2000", "image=there.png"], "at most 1000"),
        (["image=there.png"], "image=there.png: mode=grid does not look at it"),
        (["train_judge=true"], "train_judge=True: mode="),
        (["mode=best", "output=foo-ubyte"], "name it as MNIST's files are"),
    ],
)
def test_what_cannot_be_done_is_said(
    asked: list[str], words: str, command: Command, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "there.png").touch()
    ended = command(f"generator={run_folder}", *asked, script=sample)
    assert ended.status == 2
    assert words in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.png"]
