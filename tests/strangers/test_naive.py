"""The planted files do break the loaders that people write first: the other tests can fail."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from safetensors import safe_open

from gan_lightning.errors import UserError
from gan_lightning.metrics.images import read_images
from gan_lightning.networks import MLPGenerator
from gan_lightning.strangers import strict_json
from tests.conftest import ROOT
from tests.strangers import planted as p
from tests.strangers.test_refused import FILES, OWN

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


def test_instantiating_metadata_runs_code(tmp_path: Path) -> None:
    payload = p.torch_pickled(tmp_path / "payload", tmp_path / "mark")
    load = {"_target_": "torch.load", "f": str(payload), "weights_only": False}
    p.generator_file(tmp_path / "x.safetensors", arguments=load)
    with safe_open(tmp_path / "x.safetensors", framework="pt") as file:
        instantiate(json.loads(file.metadata()["gan_lightning"])["arguments"])
    assert (tmp_path / "mark").exists()


def test_instantiating_the_config_of_a_checkpoint_runs_code(tmp_path: Path) -> None:
    payload = p.torch_pickled(tmp_path / "payload", tmp_path / "mark")
    load = {"_target_": "torch.load", "f": str(payload), "weights_only": False}
    torch.save({"config": {"model": {"generator": load}}}, tmp_path / "x.ckpt")
    checkpoint = torch.load(tmp_path / "x.ckpt", weights_only=True)
    instantiate(checkpoint["config"]["model"]["generator"])
    assert (tmp_path / "mark").exists()


def test_the_instantiator_of_hyper_parameters_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Lightning did before it had a list of allowed ones (2.6.6 has)."""
    FILES["instantiator.ckpt"][1](tmp_path / "x.ckpt")
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    monkeypatch.delitem(sys.modules, OWN.rpartition(".")[0], raising=False)
    hparams = torch.load(tmp_path / "x.ckpt", weights_only=True)["hyper_parameters"]
    module, name = hparams["_instantiator"].rsplit(".", 1)
    assert getattr(importlib.import_module(module), name)
    assert (tmp_path / "mark").exists()


PROBE = """
import sys, torch
from tests.strangers.memory import reset, used
for path in sys.argv[1:]:
    before = reset()
    torch.load(path, weights_only=True)
    print(used() - before)
"""


def test_torch_load_unpacks_bombs_and_makes_arrays(tmp_path: Path) -> None:
    """With `weights_only=True`: no code runs, but memory is another matter."""
    bomb = p.zip_bomb(tmp_path / "bomb.ckpt", 1 << 29)
    array = p.calls(tmp_path / "array.ckpt", "builtins", "bytearray", 1 << 29)
    assert bomb.stat().st_size < 2 << 20
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(bomb), str(array)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert [int(grew) > 400 << 20 for grew in done.stdout.split()] == [True, True]


def test_constructors_believe_sizes() -> None:
    with pytest.raises(RuntimeError, match="memory"):
        MLPGenerator(**p.ARGUMENTS | {"hidden": [10**7, 10**7]})


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
        read_images(tmp_path / "x.npz", 10)
    assert not (tmp_path / "mark").exists()
    np.load(tmp_path / "x.npz", allow_pickle=True)["images"]
    assert (tmp_path / "mark").exists()
