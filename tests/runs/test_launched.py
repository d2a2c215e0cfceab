"""Devices as people type them: the names of DDP, and processes that torchrun started."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.conftest import NO_NETWORK, ROOT

EXACT = (
    *("experiment=ring", "trainer.accelerator=cpu", "data.batch_size=32"),
    *("trainer.max_epochs=1", "trainer.limit_train_batches=8", "callbacks.scores=null"),
    *("callbacks.samples=null", "callbacks.doctor=null", "callbacks.progress_bar=null"),
)
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")


def start(cwd: Path, *command: str, group: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        start_new_session=group,
        env=os.environ | NO_NETWORK | {"PYTHONPATH": f"{ROOT}:{cwd}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=200)
    assert process.returncode == status, err
    return out, err


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def weights(run: Path) -> dict[str, torch.Tensor]:
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return {name: tensor for name, tensor in state.items() if torch.is_tensor(tensor)}


def same(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():  # the same ranks sum the same numbers
        assert torch.equal(weight, theirs[name]), name


def test_two_nodes_of_torchrun_train_as_ddp_does(tmp_path: Path) -> None:
    """`trainer.strategy=ddp` and two nodes on loopback: a folder and a console each."""
    train = str(ROOT / "train.py")
    typed = start(
        tmp_path,
        sys.executable,
        train,
        *EXACT,
        "trainer.devices=2",
        "trainer.strategy=ddp",
        f"hydra.run.dir={tmp_path}/ddp",
    )
    finish(typed)
    cwd = tmp_path / "nodes"
    cwd.mkdir()
    meeting = ("--nnodes=2", "--nproc_per_node=1", "--master_addr=127.0.0.1")
    port = f"--master_port={free_port()}"
    nodes = [
        start(
            cwd,
            *TORCHRUN,
            *meeting,
            port,
            f"--node_rank={rank}",
            train,
            *EXACT,
            "trainer.num_nodes=2",
        )
        for rank in (0, 1)
    ]
    said = [finish(node)[0] for node in nodes]
    (run,) = cwd.glob("outputs/*/*")
    assert said[0].count("run folder") == 1
    assert not said[1].strip()
    same(tmp_path / "ddp", run)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_torchrun_is_one_to_every_process(
    number: int, status: int, tmp_path: Path
) -> None:
    """A terminal sends Ctrl-C to all, and torchrun passes it on: it still counts once."""
    command = (*TORCHRUN, "--nproc_per_node=2", str(ROOT / "train.py"), *EXACT)
    command += ("trainer.devices=2", "trainer.max_epochs=1000", f"hydra.run.dir={tmp_path}/run")
    process = start(tmp_path, *command, group=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.communicate(timeout=100)
    (session,) = json.loads((tmp_path / "run" / "run.json").read_text())["sessions"]
    assert session["status"] == status
    seen = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert seen["state_dict"]["_extra_state"]["images_seen"] == session["images_seen"]
    more = f"trainer.max_epochs={seen['epoch'] + 2}"
    finish(start(tmp_path, *command, "resume=auto", more))


@pytest.mark.slow
def test_a_process_that_fails_alone_ends_all_of_a_sweep(tmp_path: Path) -> None:
    """It would go on to the next job, and wait there for others that wait for it here."""
    (tmp_path / "own.py").write_text(
        "from lightning import Callback\n"
        "class Fails(Callback):\n"
        "    def on_train_batch_end(self, trainer, *_, **__):\n"
        "        if trainer.global_rank == 1:\n"
        "            raise MemoryError('out of memory')\n"
    )
    sweep = ("-m", "seed=0,1", "trainer.devices=2", "+callbacks.own._target_=own.Fails")
    command = (*TORCHRUN, "--nproc_per_node=2", str(ROOT / "train.py"), *sweep, *EXACT)
    _, said = finish(start(tmp_path, *command), status=1)
    assert "out of memory at data.batch_size=32: try data.batch_size=16" in said
    assert len([*tmp_path.glob("outputs/*/*/*/run.json")]) == 1


@pytest.mark.slow
def test_nodes_agree_on_the_data(tmp_path: Path) -> None:
    """One has not the images: both train on the digits, in one folder, and one warning says so."""
    port = free_port()
    asked = (
        "data=mnist",
        "data.root=data",
        "trainer.num_nodes=2",
        f"hydra.run.dir={tmp_path}/run-${{now:%f}}",
    )
    nodes = []
    for rank in (0, 1):
        cwd = tmp_path / str(rank)
        (cwd / "data").mkdir(parents=True)
        meeting = ("--nnodes=2", "--nproc_per_node=1", "--master_addr=127.0.0.1")
        here = (f"--master_port={port}", f"--node_rank={rank}", str(ROOT / "train.py"))
        nodes.append(start(cwd, *TORCHRUN, *meeting, *here, *asked, *EXACT[1:]))
    said = [finish(node)[0] for node in nodes]
    assert said[0].count("going on with the embedded digits instead") == 1
    assert not said[1].strip()
    assert len([*tmp_path.glob("run-*/run.json")]) == len([*tmp_path.glob("run-*")]) == 1
