"""Going on with a run whose folder, files or settings are not what they were."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gan_lightning.system.checkpoint_file import (
    hash_file,
    previous,
    read_checkpoint,
    restore_previous,
)
from gan_lightning.system.checkpoint_io import SafeCheckpointIO
from tests.conftest import ROOT, Command
from tests.faults.conftest import SMALL
from tests.faults.test_saving import flip
from tests.faults.test_signals import at, seen

AUTO = (*SMALL, "resume=auto", "hydra.run.dir=run", "trainer.max_epochs=3")


def contents(run: Path) -> dict[Path, bytes]:
    """Return what a start must not change; `run.json` and the events tell of every start."""
    files = (path for path in run.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.name not in (".lock", "run.log")}


@pytest.mark.fault(29)
def test_a_checkpoint_of_another_project_is_left_alone(run: Path, command: Command) -> None:
    last = run / "checkpoints" / "last.ckpt"
    torch.save({"weights": torch.zeros(3)}, last)
    hash_file(last).unlink()
    before = contents(run)
    ended = command(*AUTO)
    assert ended.status == 2
    assert f"{last.relative_to(run.parent)} is not a checkpoint of this project" in ended.err
    assert contents(run) == before


@pytest.mark.fault(28)
def test_two_damaged_checkpoints_are_not_begun_anew(run: Path, command: Command) -> None:
    last = run / "checkpoints" / "last.ckpt"
    flip(last)
    flip(previous(last))
    before = contents(run)
    ended = command(*AUTO)
    assert ended.status == 2
    assert "nor can the one before it" in ended.err
    assert contents(run) == before


@pytest.mark.fault(28)
def test_a_disk_that_fails_once_is_no_damage(
    run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint before is older: going on from it would lose what the last one holds."""

    def fails(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    before = contents(run)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", fails)
        ended = command(*AUTO)
    assert ended.status == 2
    assert "cannot be read" in ended.err
    assert contents(run) == before
    assert command(*AUTO).status == 0


@pytest.mark.fault(30)
def test_a_damaged_checkpoint_does_not_take_the_place_of_the_one_before(tmp_path: Path) -> None:
    last, io = tmp_path / "last.ckpt", SafeCheckpointIO()

    def save(number: int) -> None:
        io.save_checkpoint({"config": {}, "state_dict": {}, "number": number}, last)

    save(1)
    save(2)
    flip(last)
    save(3)
    assert read_checkpoint(last)["number"] == 3
    assert read_checkpoint(previous(last))["number"] == 1


@pytest.mark.fault(32)
def test_a_key_of_ones_own_can_be_left_behind(command: Command) -> None:
    """It was added on the first command line; what read it is given anew."""
    own = ("+optimizer.base=3e-4", "optimizer.lr=${optimizer.base}")
    assert command(*SMALL, "trainer.max_epochs=1", *own, "hydra.run.dir=run").status == 0
    ended = command("resume=run", "optimizer.lr=1e-4", "trainer.max_epochs=2")
    assert ended.status == 0, ended.err
    assert command("resume=run", "+ema.halflife=3", "trainer.max_epochs=3").status == 2


@pytest.mark.fault(30)
def test_the_one_before_leaves_no_name_behind(tmp_path: Path) -> None:
    last, io = tmp_path / "last.ckpt", SafeCheckpointIO()
    for _ in range(2):
        io.save_checkpoint({"config": {}, "state_dict": {}}, last)
    flip(last)
    restore_previous(last)
    io.save_checkpoint({"config": {}, "state_dict": {}}, last)
    names = {path.name.removesuffix(".sha256") for path in tmp_path.iterdir()}
    assert names == {"last.ckpt", "last.previous.ckpt"}


@pytest.mark.fault(26)
def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    for number in (1, 2):
        content = {"config": {}, "state_dict": {}, "number": number}
        SafeCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt")["number"] == 2
    assert read_checkpoint(previous(tmp_path / "last.ckpt"))["number"] == 1


@pytest.mark.fault(27)
def test_a_limit_on_steps_ends_with_a_checkpoint(command: Command) -> None:
    steps = ("+trainer.max_steps=6", "callbacks.checkpoints.every_n_epochs=5")
    assert command(*SMALL, *steps, "hydra.run.dir=run").status == 0
    assert seen(Path("run")) == 3 * 8  # Lightning counts D's steps and G's


@pytest.mark.fault(27)
def test_a_place_within_an_epoch_is_kept(command: Command) -> None:
    """It is a number of batches: of another size, it would be another place."""
    assert command(*SMALL, "hydra.run.dir=run", *at(8, signal.SIGTERM)).status == 143
    before = contents(Path("run"))
    ended = command("resume=run", "data.batch_size=4")
    assert ended.status == 2
    assert "data.batch_size cannot change from 8 to 4" in ended.err
    assert "trainer.max_epochs=1" in ended.err
    assert contents(Path("run")) == before
    assert command("resume=run", "trainer.max_epochs=1", "data.batch_size=8").status == 0
    ended = command("resume=run", "trainer.max_epochs=2", "data.batch_size=4")
    assert ended.status == 0
    assert seen(Path("run")) == 4 * 8 + 4 * 4


@pytest.mark.fault(26)
def test_a_config_that_cannot_be_written_leaves_the_one_before(run: Path, tmp_path: Path) -> None:
    """A limit on the size of files is a full disk; `config.yaml` grows beyond it."""
    before = (run / "config.yaml").read_bytes()
    name = "x" * (len(before) + 5000)
    blocks = 5 + len(before) // 1024  # of 1024 bytes; the probe at the start needs 4
    note = f"+callbacks.ranks._target_=tests.faults.bad.Ranks +callbacks.ranks.folder={name}"
    overrides = f"resume=run trainer.max_epochs=3 {note}"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {blocks}; {sys.executable} {ROOT / 'train.py'} {overrides}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "a file grew beyond the process's limit" in done.stderr
    assert "Traceback" not in done.stderr
    assert (run / "config.yaml").read_bytes() == before


@pytest.mark.fault(28)
@pytest.mark.parametrize("text", ["", "a: [", "a: 1"])
def test_a_config_that_is_none(text: str, run: Path, command: Command) -> None:
    (run / "config.yaml").write_text(text)
    ended = command("resume=run", "trainer.max_epochs=3")
    assert ended.status == 2
    assert "config.yaml cannot be read" in ended.err


@pytest.mark.fault(28)
def test_curves_that_are_none(run: Path, command: Command) -> None:
    (run / "metrics.csv").write_text("a,b\n1,2\n")
    ended = command("resume=run", "trainer.max_epochs=3")
    assert ended.status == 2
    assert "metrics.csv holds no curves" in ended.err


@pytest.mark.fault(32)
def test_a_start_that_failed_names_the_way_on(run: Path, command: Command) -> None:
    shutil.rmtree(run / "checkpoints")
    ended = command(*SMALL, "hydra.run.dir=run")
    assert ended.status == 2
    assert "go on with it by resume=auto hydra.run.dir=" in ended.err


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGUSR1, 143, marks=pytest.mark.fault(35)),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.fault(36)),
    ],
)
def test_a_signal_while_libraries_are_imported(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    command = [sys.executable, str(ROOT / "train.py"), *SMALL]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while "torch" not in Path(f"/proc/{run.pid}/maps").read_text():
        time.sleep(0.01)
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == status
    assert said == ""
    assert list(tmp_path.iterdir()) == []
