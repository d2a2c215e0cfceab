"""What tests share: the number of threads, composed configs, commands, one finished run."""

import logging
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from _pytest.terminal import TerminalReporter
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import DictConfig

import train
from gan_lightning.config.schema import register
from tests.faults.table import FAULTS

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"
# Nothing listens there: a test without network is the same on every machine.
NO_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

# More threads than cores make small networks slower, and a shared machine hang.
THREADS = os.environ.get("GAN_TEST_THREADS", "1")
os.environ["OMP_NUM_THREADS"] = THREADS
torch.set_num_threads(int(THREADS))


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str
    cwd: Path

    @property
    def run_folders(self) -> list[Path]:
        """Folders of runs and sweeps, below `outputs/<date>/`."""
        return sorted(self.cwd.glob("outputs/*/*"))


def run_script(cwd: Path, script: str, *overrides: str, **environment: str) -> Finished:
    """Run train.py or sample.py in a folder of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *overrides],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, cwd)


@dataclass(frozen=True)
class Ended:
    """How a command within this process ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Run train.py, or another script, within this process: a start costs seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)

    def run(*overrides: str, script: ModuleType = train) -> Ended:
        monkeypatch.setattr(sys, "argv", [f"{script.__name__}.py", *overrides])
        status = 0
        capfd.readouterr()
        try:
            script.main()
        except SystemExit as end:
            status = int(end.code or 0)
        said = capfd.readouterr()
        assert "Traceback" not in said.err, said.err
        return Ended(status, said.out, said.err)

    return run


def own_options(group: str) -> dict[str, dict[str, Any]]:
    """Return the options of a group that are this package's, not those that a user put there."""
    nodes = {path.stem: yaml.safe_load(path.read_text()) for path in CONF.glob(f"{group}/*.yaml")}
    return {n: node for n, node in nodes.items() if node["_target_"].startswith("gan_lightning.")}


def compose_config(*overrides: str, name: str = "config") -> DictConfig:
    """Return what the command line would compose; `run_dir` must be given, or not be looked at."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra_compose(name, list(overrides))


@pytest.fixture
def compose(tmp_path: Path) -> Callable[..., DictConfig]:
    """Compose a config whose run folder is this test's own."""
    return lambda *overrides: compose_config(f"run_dir={tmp_path}", *overrides)


@pytest.fixture
def mnist_root() -> str:
    """Return the folder of the real MNIST."""
    root = os.environ.get("GAN_DATA_DIR", "")
    if not root or not (Path(root) / "MNIST" / "raw").is_dir():
        pytest.skip("GAN_DATA_DIR names no folder with MNIST/raw in it")
    return root


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return one tiny conditional run: two epochs of four batches of eight; do not change it."""
    done = run_script(
        tmp_path_factory.mktemp("run"),
        "train.py",
        "data=digits",
        "debug=fast",
        "model.num_classes=10",
        "data.validation=100",
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def run_folder(finished_run: Finished) -> Path:
    """Return the folder of the finished run."""
    (folder,) = finished_run.run_folders
    return folder


_outcomes: dict[int, list[str]] = defaultdict(list)  # of the tests of each fault


def rows_of(item: pytest.Item) -> list[int]:
    """Return the rows of the table of faults that a test is about."""
    return [row for mark in item.iter_markers("fault") for row in mark.args]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let a report say which rows its test is about, wherever it is read."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    report.user_properties.extend(("fault", row) for row in rows_of(item))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember how each row's tests went, in this process or in one of several."""
    if report.when == "call" or report.outcome != "passed":
        for row in {value for name, value in report.user_properties if name == "fault"}:
            _outcomes[int(str(row))].append(report.outcome)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the matrix of faults when many of its tests ran: `pytest -m "fault and not slow"`."""
    if len(_outcomes) < 10:
        return
    terminalreporter.section("faults")
    for row, name in FAULTS.items():
        went = _outcomes.get(row, [])
        worst = next((o for o in ("failed", "skipped", "passed") if o in went), "not run")
        terminalreporter.line(f"{row:>3}  {name:<45} {worst}{f' x{len(went)}' if went else ''}")
