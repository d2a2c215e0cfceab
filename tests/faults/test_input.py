"""Bad input and configuration: status 2, one sentence with the key, nothing left behind."""

from pathlib import Path

import pytest
import torch

from tests.faults.conftest import SMALL, Command

BAD = [
    (1, ["optimizer.learning_rate=1"], ["learning_rate"]),
    (1, ["data.bach_size=3"], ["data.batch_size"]),
    (2, ["loss=hinj"], ["hinj", "hinge"]),
    (2, ["model=gpt"], ["gpt", "dcgan"]),
    (2, ["data=cifar"], ["cifar", "mnist"]),
    (2, ["loss._target_=nope.Loss"], ["nope.Loss", "No module named 'nope'"]),
    (3, ["optimizer.lr=abc"], ["optimizer.lr=abc"]),
    (4, ["optimizer.lr=-1"], ["optimizer.lr=-1"]),
    (4, ["optimizer.lr=nan"], ["optimizer.lr=nan"]),
    (5, ["trainer.devices="], ["trainer.devices="]),
    (6, ["data.batch_size=0"], ["data.batch_size=0"]),
    (7, ["data.batch_size=99999"], ["data.batch_size=99999", "smaller"]),
    (8, ["model.latent_dim=0"], ["latent_dim=0"]),
    (9, ["constraint=clip", "constraint.limit=-1"], ["constraint.limit=-1 must"]),
    (9, ["penalty.weight=-1"], ["penalty.weight=-1"]),
    (9, ["ema.half_life=-1"], ["ema.half_life=-1"]),
    (10, ["trainer.max_epochs=-5"], ["trainer.max_epochs=-5"]),
    (15, ["seed=-1"], ["seed=-1"]),
    (15, ["seed=4294967296"], ["seed=4294967296"]),
    (22, ["data.classes=[]"], ["data.classes=[]"]),
    (22, ["data.classes=[3,3]"], ["data.classes=[3, 3]"]),
    (22, ["data.classes=[12]"], ["data.classes=[12]"]),
    (27, ["callbacks.checkpoints.every_n_images=0"], ["every_n_images=0"]),
    (32, ["resume=nowhere"], ["nowhere", "no run is there"]),
    (32, ["resume=auto"], ["hydra.run.dir"]),
]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        pytest.param(overrides, words, marks=pytest.mark.fault(row), id=" ".join(overrides))
        for row, overrides, words in BAD
    ],
)
def test_bad_input_ends_with_2(
    overrides: list[str], words: list[str], command: Command, tmp_path: Path
) -> None:
    where = [] if overrides == ["resume=auto"] else ["hydra.run.dir=run"]
    ended = command(*SMALL, *overrides, *where)
    assert ended.status == 2
    for word in words:
        assert word in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(12)
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(command: Command, tmp_path: Path) -> None:
    ended = command(*SMALL, "trainer.accelerator=gpu", "hydra.run.dir=run")
    assert ended.status == 2
    assert "trainer:" in ended.err
    assert "gpu" in ended.err.lower() or "cuda" in ended.err.lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(10)
def test_no_epochs_are_a_warning(command: Command) -> None:
    ended = command(*SMALL, "trainer.max_epochs=0", "hydra.run.dir=run")
    assert ended.status == 0
    assert "WARNING: trainer.max_epochs=0" in ended.out


@pytest.mark.fault(11)
def test_more_processes_than_cores_are_a_warning(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    ended = command(*SMALL, "trainer.max_epochs=1", "trainer.devices=2", "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert "trainer.devices=2 processes share 1 cores" in ended.out
