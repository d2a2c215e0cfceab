"""The matrix of faults: which row of the list each test is about, and how it went."""

import logging
import shutil
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

import train
from gan_lightning.endings import STATUS
from tests.conftest import Finished, run_script

# The faults, in the order of the list that this project promises to withstand.
FAULTS = dict(
    enumerate(
        """unknown config key
unknown loss, model or data option
lr=abc
lr=-1, lr=nan
trainer.devices= (empty)
batch_size=0
batch larger than the set
latent_dim=0
negative clip, penalty weight, half-life
max_epochs=-5 or 0
more devices than cores
GPU asked for, none there
devices=2 with the default strategy
multirun with devices=2
seed -1, 2^32
no data, no network
connection reset half-way
killed while unpacking
truncated, empty or wrong-magic IDX file
right shape, wrong content
fewer labels than images; label 200
class list empty, duplicate, out of range
empty data set
read-only data folder
outputs folder not writable
disk full while saving
kill -9 at any moment, then resume
truncated checkpoint
HTML or text as a checkpoint
one flipped byte
checkpoint of another architecture
resume file missing
resume of a finished run
NaN or infinite loss
SIGTERM
Ctrl-C
SIGTERM to one rank
kill -9 of either rank
two runs in one folder
a job of a sweep fails
num_samples=1000000000
out of memory
planted pickle, _target_ or _instantiator
label of an unconditional model; out of range
output of sample exists""".splitlines(),
        start=1,
    )
)

_results: dict[int, list[str]] = defaultdict(list)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a fault test without a row."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_matrix.py":
            assert rows_of(item), f"{item.nodeid}: mark it with its row, @pytest.mark.fault(N)"


def rows_of(item: pytest.Item) -> list[int]:
    return [row for mark in item.iter_markers("fault") for row in mark.args]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember how each row's tests went."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" or report.outcome != "passed":
        for row in rows_of(item):
            _results[row].append(report.outcome)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the matrix when whole modules of faults ran."""
    if len(_results) < 10:
        return
    terminalreporter.section("faults")
    for row, name in FAULTS.items():
        went = _results.get(row, [])
        worst = next((o for o in ("failed", "skipped", "passed") if o in went), "not run")
        terminalreporter.line(f"{row:>3}  {name:<45} {worst}{f' x{len(went)}' if went else ''}")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a finished run of the smallest networks; do not change it."""
    done = run_script(tmp_path_factory.mktemp("small"), "train.py", *SMALL, "hydra.run.dir=run")
    assert done.returncode == 0, done.stderr
    return done


SMALL = (
    *("data=digits", "debug=fast", "callbacks.progress_bar=null", "callbacks.doctor=null"),
    *("model.generator.width=4", "model.discriminator.width=4"),
)


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
) -> Iterator[Command]:
    """Run train.py within this process: a start costs seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    handlers = {number: signal.getsignal(number) for number in STATUS}

    def run(*overrides: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["train.py", *overrides])
        status = 0
        capfd.readouterr()
        try:
            train.main()
        except SystemExit as end:
            status = int(end.code or 0)
        said = capfd.readouterr()
        assert "Traceback" not in said.err, said.err
        return Ended(status, said.out, said.err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run(small_run: Finished, tmp_path: Path) -> Path:
    """Return a copy of the small finished run: two epochs of 32 images."""
    return Path(shutil.copytree(small_run.cwd / "run", tmp_path / "run"))


@pytest.fixture
def unfinished(run: Path) -> tuple[str, ...]:
    """Return the command line that goes on with the copy for a third epoch."""
    return (f"resume={run}", "trainer.max_epochs=3")
