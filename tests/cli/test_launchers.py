"""Sweeps whose jobs are processes: four jobs, one of them wrong, side by side, and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gan_lightning.config.schema import register
from tests.conftest import CONF, ROOT, Command
from tests.faults.conftest import SMALL

SWEEP = ("-m", *SMALL, "hydra.sweep.dir=sweep")
SHORT = (*SWEEP, "trainer.max_epochs=1")
LAUNCHERS = [
    "joblib",
    pytest.param("submitit_local", marks=pytest.mark.slow),
    pytest.param("ray", marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def _own_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def need(launcher: str) -> None:
    if find_spec(launcher.partition("_")[0]) is None:
        pytest.skip(f"the optional extra [{launcher.partition('_')[0]}] is not installed")


def runs(sweep: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the sessions of each run of a sweep."""
    found = sorted(sweep.glob("*/run.json"))
    return {path.parent.name[0]: json.loads(path.read_text())["sessions"] for path in found}


def processes(word: str) -> list[str]:
    """Return the command lines of the processes that name something."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if word in line and "ps -eo" not in line]


@pytest.mark.fault(40)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_of_four_jobs(launcher: str, command: Command, tmp_path: Path) -> None:
    """One job is wrong: the others go on, the table names it, and alone it is done again."""
    need(launcher)
    asked = (f"hydra/launcher={launcher}", "hydra.launcher.jobs=2", "seed=0,1,2,-1")
    ended = command(*SHORT, *asked)
    assert ended.status == 2
    assert ended.err.count("job 3: seed=-1 must be") == 1
    (row,) = [line for line in ended.err.splitlines() if line.strip("│ ").startswith("3 ")]
    assert "seed=-1" in row
    first = runs(tmp_path / "sweep")
    assert [first[k][0]["seed"] for k in "012"] == [0, 1, 2]
    assert {one["reason"] for sessions in first.values() for one in sessions} == {"complete"}
    assert len(list(tmp_path.glob("sweep/*/generator.safetensors"))) == 3
    again = command(*SHORT, *asked, "resume=auto")
    assert again.status == 2
    assert "1 of 4 jobs to run" in again.out
    assert runs(tmp_path / "sweep") == first
    assert not processes(str(tmp_path))


@pytest.mark.slow
@pytest.mark.fault(35, 36)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local", "ray"])
def test_a_stopped_sweep_saves_its_jobs_and_leaves_none(
    launcher: str, number: int, tmp_path: Path
) -> None:
    """As from a terminal: Ctrl-C goes to the whole group, SIGTERM to the sweep alone."""
    need(launcher)
    asked = (f"hydra/launcher={launcher}", "hydra.launcher.jobs=2", "seed=0,1,2,3")
    words = [sys.executable, str(ROOT / "train.py"), *SWEEP, *asked, "trainer.max_epochs=9999"]
    with subprocess.Popen(words, cwd=tmp_path, start_new_session=True) as process:
        limit = time.monotonic() + 200
        while len(list(tmp_path.glob("sweep/*/metrics.csv"))) < 2:
            assert time.monotonic() < limit
            assert process.poll() is None
            time.sleep(0.2)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(90) == {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert not processes(str(tmp_path))
    first = runs(tmp_path / "sweep")
    assert {sessions[0]["reason"] for sessions in first.values()} == {"ended by a signal"}
    assert len(list(tmp_path.glob("sweep/*/checkpoints/last.ckpt"))) == len(first) == 2
    assert not list(tmp_path.glob("sweep/.stop*"))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["hydra/launcher=joblib", "hydra.launcher.cores=0"], "hydra.launcher.cores=0 must be"),
        (["hydra/launcher=submitit_slurm"], "hydra/launcher=submitit_slurm: "),
        (["hydra/launcher=ray"], "hydra/launcher=ray needs ray: pip install -c constraints.txt"),
    ],
    ids=["wrong value", "no SLURM", "not installed"],
)
def test_what_cannot_be_launched(
    overrides: list[str],
    words: str,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "submitit_slurm" in overrides[0]:
        pytest.importorskip("submitit")
        monkeypatch.setenv("PATH", str(tmp_path))
    if "ray" in overrides[0]:
        monkeypatch.setattr("gan_lightning.cli.launcher.find_spec", lambda name: None)
    ended = command(*SHORT, *overrides, "seed=0,1")
    assert ended.status == 2
    assert ended.err.startswith(words)
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.glob("sweep/0*"))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the script that a sweep submits to a SLURM that takes it, and loses the jobs."""
    pytest.importorskip("submitit")
    from hydra_plugins.gan_lightning_launchers import SubmititLauncher

    for name, says in {"srun": "", "sbatch": "Submitted batch job 12"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SUBMITIT_PREEMPT_SIGNAL", "USR1")
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = ["hydra/launcher=submitit_slurm", "+hydra.launcher.parameters.partition=gpu"]
        overrides += ["hydra.launcher.jobs=2"]
        config = compose("config", overrides, return_hydra_config=True).hydra.launcher
    given: Any = OmegaConf.to_container(config)
    launcher = SubmititLauncher(**{k: v for k, v in given.items() if k != "_target_"})
    launcher.sweep = tmp_path
    executor = launcher.executor()
    executor.submit(print)
    (file,) = (tmp_path / "submitit").glob("12_submission.sh")
    return file.read_text()


def test_what_slurm_is_asked_for(script: str) -> None:
    """Cores, GPUs, time, the signal before its end, requeueing, and a key of the user's."""
    lines = script.splitlines()
    for line in (
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --time=240",
        "#SBATCH --signal=USR1@120",
        "#SBATCH --requeue",
        "#SBATCH --partition=gpu",
    ):
        assert line in lines, script


def test_a_file_for_each_launcher_with_the_keys_that_the_page_names() -> None:
    page = (ROOT / "docs" / "launchers.md").read_text()
    files = {path.stem: OmegaConf.load(path) for path in (CONF / "hydra/launcher").glob("*.yaml")}
    assert files.keys() == {"joblib", "submitit_local", "submitit_slurm", "ray"}
    for name, node in files.items():
        assert f"hydra/launcher={name} " in page
        assert {"jobs", "cores", "gpus", "minutes", "requeue"} <= {*node}
        for key in {*node} - {"_target_", "cluster"}:
            assert f"| `{key}` |" in page
