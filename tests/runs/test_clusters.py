"""Runs on several machines: two hosts with a network between them, and jobs of SLURM."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command
from tests.faults.conftest import SMALL
from tests.runs.test_launched import EXACT, TORCHRUN, finish, same, start
from tests.slurm import Job

PAGE = (ROOT / "docs" / "clusters.md").read_text()
TRAIN = f"{sys.executable} {ROOT / 'train.py'}"
# 24 steps of 64 images, 0.3 s each from the fourth on: there is time to disturb them.
LONG = (*EXACT, "trainer.limit_train_batches=24", "log_every_n_images=64")
SLOW = (
    "+callbacks.slow={_target_: tests.faults.bad.SignalAt, images_seen: 256, rank: 9, slow: 0.3}",
)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of two processes on one machine, which nothing disturbed."""
    cwd = tmp_path_factory.mktemp("untouched")
    place = ("trainer.devices=2", "hydra.run.dir=run")
    finish(start(cwd, sys.executable, str(ROOT / "train.py"), *LONG, *place))
    return cwd / "run"


def wait_for(path: Path, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.1)


def sessions(run: Path) -> list[dict]:
    return json.loads((run / "run.json").read_text())["sessions"]


class Hosts:
    """Two machines that share their files: network namespaces, joined by a cable."""

    def __init__(self) -> None:
        self.names = [f"gan-{os.getpid()}-{number}" for number in (0, 1)]

    def connect(self) -> None:
        first, second = self.names
        for name in self.names:
            ip("netns", "add", name)
        there = ("type", "veth", "peer", "name", "cable", "netns", second)
        ip("link", "add", "cable", "netns", first, *there)
        for number, name in enumerate(self.names):
            ip("-n", name, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "cable")
            for link in ("lo", "cable"):
                ip("-n", name, "link", "set", link, "up")

    def start(self, number: int, cwd: Path, *overrides: str) -> subprocess.Popen[str]:
        """Type on one of them what docs/clusters.md says."""
        inside = ("ip", "netns", "exec", self.names[number], "env", "GLOO_SOCKET_IFNAME=cable")
        meeting = ("--nnodes=2", "--nproc-per-node=1", f"--node-rank={number}")
        at = ("--master-addr=10.77.0.1", "--master-port=29500")
        asked = (str(ROOT / "train.py"), "trainer.num_nodes=2", *overrides)
        return start(cwd, *inside, *TORCHRUN, *meeting, *at, *asked)

    def start_all(self, cwd: Path, *overrides: str) -> list[subprocess.Popen[str]]:
        return [self.start(number, cwd, *overrides) for number in (0, 1)]

    def kill(self, number: int) -> None:
        """End all that runs on one of them, as a machine that is switched off."""
        for pid in ip("netns", "pids", self.names[number]).split():
            os.kill(int(pid), signal.SIGKILL)

    def remove(self) -> None:
        for number, name in enumerate(self.names):
            if Path("/run/netns", name).exists():
                self.kill(number)
                ip("netns", "del", name)


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and ip (iproute2)")
    made = Hosts()
    try:
        made.connect()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"no right to make network namespaces: {error.stderr}")
    yield made
    made.remove()


@pytest.mark.slow
def test_two_hosts_train_as_one_does(hosts: Hosts, untouched: Path, tmp_path: Path) -> None:
    """One folder, one console, the same bits."""
    said = [finish(host)[0] for host in hosts.start_all(tmp_path, *LONG)]
    (run,) = tmp_path.glob("outputs/*/*")
    assert said[0].count("run folder") == 1
    assert not said[1].strip()
    same(untouched, run)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_run_goes_on_after_a_host_was_lost(
    lost: int, hosts: Hosts, untouched: Path, tmp_path: Path
) -> None:
    """The other one ends soon, and says so; the same commands go on from the last checkpoint."""
    asked = (*LONG, "callbacks.checkpoints.every_n_images=128", "hydra.run.dir=run", "resume=auto")
    running = hosts.start_all(tmp_path, *asked, *SLOW)
    wait_for(tmp_path / "run" / "checkpoints" / "last.ckpt")
    time.sleep(1)
    hosts.kill(lost)
    began = time.monotonic()
    _, err = finish(running[1 - lost], status=1)
    assert time.monotonic() - began < 60
    assert err.count("another process of this run ended, or its host is lost") == 1
    if lost:
        assert "is the last good checkpoint" in err
        assert sessions(tmp_path / "run")[0]["status"] == 1
    running[lost].communicate()
    for host in hosts.start_all(tmp_path, *asked):
        finish(host)
    assert sessions(tmp_path / "run")[-1]["status"] == 0
    same(untouched, tmp_path / "run")


@pytest.mark.slow
def test_a_host_without_power_is_given_up(hosts: Hosts, tmp_path: Path) -> None:
    """Nothing closes its connections: the kernel gives up sending, here sooner than by default.

    The first process is the slow one, so that it is the next to send.
    """
    (tmp_path / "own.py").write_text(
        "import time\n"
        "from lightning import Callback\n"
        "class Slow(Callback):\n"
        "    def on_train_batch_start(self, trainer, *_, **__):\n"
        "        time.sleep(0.0 if trainer.global_rank else 0.5)\n"
    )
    ip("netns", "exec", hosts.names[0], "sysctl", "-qw", "net.ipv4.tcp_retries2=3")
    asked = (*LONG, "hydra.run.dir=run", "+callbacks.slow._target_=own.Slow")
    running = hosts.start_all(tmp_path, *asked)
    wait_for(tmp_path / "run" / "metrics.csv")
    ip("-n", hosts.names[1], "link", "set", "cable", "down")
    hosts.kill(1)
    _, err = finish(running[0], status=1)
    assert "another process of this run ended, or its host is lost" in err
    running[1].communicate()


def script(*more: str) -> str:
    """Return the job's script of docs/clusters.md, for small networks."""
    (shown,) = re.findall(r"^```bash\n(#!/bin/bash\n#SBATCH.*?)^```$", PAGE, re.M | re.S)
    assert shown.count("python train.py") == 1
    quoted = " ".join(f"'{word}'" for word in more)
    return shown.replace("python train.py", f"{TRAIN} {quoted}")


@pytest.mark.slow
def test_a_job_that_is_warned_goes_on_when_it_is_requeued(untouched: Path, tmp_path: Path) -> None:
    """The same folder, by the job's number, and the bits of a run that was left alone."""
    job = Job(script(*LONG, *SLOW), tmp_path, number=4711, nodes=2, tasks_per_node=1)
    run = tmp_path / "outputs" / "slurm" / "4711"
    wait_for(run / "metrics.csv")
    time.sleep(1)
    job.warn()
    said = tmp_path / "slurm-4711.out"
    assert job.wait(200) == 0, said.read_text()
    assert job.restarts == 1
    warned, whole = sessions(run)
    assert (warned["status"], whole["status"]) == (143, 0)
    assert 0 < warned["images_seen"] < whole["images_seen"]
    assert said.read_text().count("run folder") == 2
    same(untouched, run)


def test_a_job_goes_on_in_the_folder_of_its_number(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    for epochs in (1, 2):
        assert command(*SMALL, "resume=auto", f"trainer.max_epochs={epochs}").status == 0
    run = tmp_path / "outputs" / "slurm" / "12"
    assert [session["images_seen"] for session in sessions(run)] == [32, 64]


@pytest.mark.slow
def test_what_is_wrong_with_a_job_is_said_once(tmp_path: Path) -> None:
    line = script(*SMALL, "trainer.num_nodes=2").replace("$SLURM_NTASKS_PER_NODE", "2")
    job = Job(line, tmp_path, number=3, nodes=2, tasks_per_node=1)
    said = tmp_path / "slurm-3.out"
    assert job.wait(200) == 1, said.read_text()
    assert job.restarts == 0
    assert said.read_text().count("srun started 2 processes, and the trainer has 4 devices") == 1
