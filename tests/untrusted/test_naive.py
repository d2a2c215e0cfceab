"""The planted files do break the loaders that people write first: the other tests can fail."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gan_lightning.data import ImageDataModule
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import read_images
from gan_lightning.system.untrusted import strict_json
from tests.untrusted import planted as p
from tests.untrusted.files import FILES, run_on_files

pytestmark = pytest.mark.fault(43)


@pytest.mark.parametrize("make", [p.pickled, p.torch_pickled])
@pytest.mark.parametrize("name", ["x.ckpt", "x.safetensors"])
def test_full_unpickling_runs_code(make: Any, name: str, tmp_path: Path) -> None:
    make(tmp_path / name, tmp_path / "mark")
    # A bare pickle is no torch file, but its code has run by then. Opened here, because
    # torch.load by itself takes a file of that second name for what it says to be.
    with contextlib.suppress(Exception), (tmp_path / name).open("rb") as file:
        torch.load(file, weights_only=False)
    assert (tmp_path / "mark").exists()


# What the naive loader does with each planted file; it raises something at all others.
HARM = {
    "code": {
        *("pickle.ckpt", "torch.ckpt", "eval.ckpt", "target.safetensors", "target.ckpt"),
        *("target plain.safetensors", "target nested.safetensors", "target class.safetensors"),
        *("target same name.ckpt", "target deep.ckpt", "target twice.ckpt", "own.safetensors"),
        *("own.ckpt", "instantiator.ckpt", "data instantiator.ckpt"),
    },
    "memory": {
        *("bytearray.ckpt", "bomb.ckpt", "view.ckpt", "width.safetensors", "width.ckpt"),
        *("latent.safetensors", "latent.ckpt", "side.safetensors"),
    },
    "time": {"depth.safetensors", "depth.ckpt", "blocks.safetensors", "tuples.ckpt"},
    "believed": {
        *("label.safetensors", "type.safetensors", "nan.safetensors", "inf.safetensors"),
        *("large.safetensors", "dataset path.safetensors", "dataset lines.safetensors"),
        *("dataset escape.safetensors", "dataset long.safetensors", "dataset.ckpt"),
        *("scores.safetensors", "seen.safetensors", "version.safetensors", "pipe.ckpt"),
        *("link.ckpt", "dangling.ckpt", "folder.ckpt", "large.ckpt"),
    },
}
EXPECTED = {name: harm for harm, names in HARM.items() for name in names}


@pytest.fixture(scope="module")
def harms(folder: Path) -> dict[str, dict[str, Any]]:
    return run_on_files("naive", folder)


@pytest.mark.parametrize("name", FILES)
def test_the_naive_loader_refuses_none(name: str, harms: dict[str, dict[str, Any]]) -> None:
    """Not one ends with status 2 and a sentence, so `test_refused` fails for each."""
    assert harms[name.replace(" ", "_")]["harm"] == EXPECTED.get(name, "raised")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}'])
def test_json_has_several_meanings(text: str) -> None:
    json.loads(text)
    with pytest.raises(ValueError, match=r"twice|number"):
        strict_json(text)


def test_a_pipe_is_read_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read = [sys.executable, "-c", "import sys; open(sys.argv[1]).read()"]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([*read, str(tmp_path / "pipe")], timeout=1, check=False)


def test_arrays_of_objects_run_code(tmp_path: Path) -> None:
    images = np.array([p.Touch(tmp_path / "mark")], dtype=object)
    np.savez(tmp_path / "x.npz", images=images)
    with pytest.raises(UserError, match="array `images`"):
        read_images(tmp_path / "x.npz", 10, ImageDataModule("reals"))
    assert not (tmp_path / "mark").exists()
    np.load(tmp_path / "x.npz", allow_pickle=True)["images"]
    assert (tmp_path / "mark").exists()
