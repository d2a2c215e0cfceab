"""Devices as people type them: the names of DDP, and processes that torchrun started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

from tests.conftest import NO_NETWORK, ROOT

EXACT = (
    *("experiment=ring", "trainer.accelerator=cpu", "data.batch_size=32"),
    *("trainer.max_epochs=1", "trainer.limit_train_batches=8", "callbacks.scores=null"),
    *("callbacks.samples=null", "callbacks.doctor=null", "callbacks.progress_bar=null"),
)
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")


def start(cwd: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | NO_NETWORK | {"PYTHONPATH": str(ROOT)},
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
