"""A job's process: timed, told to end, killed, started again, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lightning.system.job import Job, Outcome
from tests.conftest import ROOT

# Says that it began, then ends with 143 once it is told to.
SAVES = """
import pathlib, signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(143))
with pathlib.Path("began").open("a") as file: file.write("x")
while True: time.sleep(0.01)
"""
OF_HAND_OVER = "import os\nfrom gan_lightning.system.job import hand_over, obey\nobey()\n"
MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeJob:
    """Make a job that runs some Python in this test's folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def make(code: str, **more: object) -> Job:
        command = [sys.executable, "-c", code]
        return Job(0, [], tmp_path / "0", command, tmp_path / "stop", at=tmp_path, **more)  # type: ignore[arg-type]

    return make


def until(happens: Callable[[], object]) -> None:
    limit = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_what_a_job_returns_comes_home(make_job: MakeJob) -> None:
    assert make_job(f"{OF_HAND_OVER}hand_over(value=0.5)")() == Outcome(0, value=0.5)


def test_a_job_that_is_killed_when_it_is_done_is_done(make_job: MakeJob) -> None:
    code = f"{OF_HAND_OVER}hand_over(value=0.5); os.kill(os.getpid(), 9)"
    assert make_job(code)() == Outcome(0, value=0.5)


def test_a_failing_job_says_why(make_job: MakeJob, tmp_path: Path) -> None:
    said = f"{OF_HAND_OVER}hand_over('loss/D is not finite')"
    assert make_job(f"{said}; raise SystemExit(1)")() == Outcome(1, "loss/D is not finite")
    (tmp_path / "0.log").unlink()
    assert make_job("print('no such key'); raise SystemExit(2)")() == Outcome(2, "no such key")
    assert (tmp_path / "0.log").read_text() == "no such key\n"


def test_variables_of_a_job(make_job: MakeJob) -> None:
    code = "import os; print(os.environ['A'], os.environ['B']); raise SystemExit(1)"
    assert make_job(code, environment={"A": "1", "B": "2"})(B="3").reason == "1 3"


def test_a_job_whose_time_is_over_goes_on_as_often_as_it_may(
    make_job: MakeJob, tmp_path: Path
) -> None:
    outcome = make_job(SAVES, minutes=0.01, requeue=1)()
    assert outcome == Outcome(143, "its 0.01 minutes were over", again=True)
    assert (tmp_path / "began").read_text() == "xx"


def test_a_killed_job_goes_on(make_job: MakeJob, tmp_path: Path) -> None:
    code = (
        "import os, pathlib; there = pathlib.Path('there').exists(); pathlib.Path('there').touch();"
        "there or os.kill(os.getpid(), 9)"
    )
    assert make_job(code, requeue=1)() == Outcome(0)
    (tmp_path / "there").unlink()
    outcome = make_job(code)()
    assert (outcome.status, outcome.again) == (1, True)
    assert outcome.reason.startswith("ended by SIGKILL")


def test_a_stopped_job_saves_and_does_not_go_on(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(SAVES, requeue=5)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(job()))
    thread.start()
    until((tmp_path / "began").exists)
    job.stop.touch()
    thread.join(30)
    assert outcomes == [Outcome(143, "stopped with its sweep", again=True)]
    assert make_job(SAVES)() == Outcome(143, "stopped before it began")
    assert (tmp_path / "began").read_text() == "x"


def test_a_job_that_does_not_end_is_killed_at_once_when_asked(
    make_job: MakeJob, tmp_path: Path
) -> None:
    deaf = SAVES.replace("lambda *_: sys.exit(143)", "signal.SIG_IGN")
    job = make_job(deaf)
    thread = threading.Thread(target=job)
    thread.start()
    until((tmp_path / "began").exists)
    job.stop.touch()
    thread.join(1)
    assert thread.is_alive()
    job.stop.write_text("at once")
    thread.join(30)
    assert not thread.is_alive()


def test_a_job_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    """Its supervisor is killed: it gets a SIGTERM, as if it were told."""
    code = (
        "import pathlib, sys, time\nfrom gan_lightning.system.job import obey\nobey()\n"
        "pathlib.Path('began').write_text(str(__import__('os').getpid()))\ntime.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    waits = (
        "from pathlib import Path; from gan_lightning.system.job import Job\n"
        f"Job(0, [], Path('0'), {command!r}, Path('stop'))()"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", waits], cwd=tmp_path, env=environment) as process:
        began = tmp_path / "began"
        until(lambda: began.exists() and began.read_text())
        process.send_signal(signal.SIGKILL)
    process_folder = Path("/proc", began.read_text())
    until(lambda: not process_folder.exists())
    assert not process_folder.exists()


@pytest.mark.parametrize("minutes", [60, 0.1], ids=["preempted", "time over"])
def test_submitit_queues_a_told_job_again(
    minutes: float, make_job: MakeJob, tmp_path: Path
) -> None:
    submitit = pytest.importorskip("submitit")
    # The first time it waits to be told, the second time it is done.
    code = "import pathlib\nif pathlib.Path('began').exists(): raise SystemExit\n" + SAVES
    executor = submitit.LocalExecutor(tmp_path / "submitit", max_num_timeout=1)
    executor.update_parameters(timeout_min=minutes, signal_delay_s=3)
    job = executor.submit(make_job(code))
    until((tmp_path / "began").exists)
    if minutes > 1:
        found = subprocess.check_output(["ps", "-o", "pid=", "--ppid", job.job_id], text=True)
        os.kill(int(found), submitit.JobEnvironment._usr_sig())
    assert job.result() == Outcome(0)
    assert "Requeued job" in job.stderr() + job.stdout()
    assert (tmp_path / "began").read_text() == "x"
