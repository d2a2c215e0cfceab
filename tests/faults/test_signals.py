"""How a run ends: its status, what is saved, who else ends, and what it says."""

import atexit
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gan_lightning.system.checkpoint_file import read_checkpoint
from gan_lightning.system.files import sha256
from gan_lightning.system.signals import calm_worker, skip_finalization, watched
from tests.conftest import ROOT, Command
from tests.faults.conftest import SMALL

PLACE = ("hydra.run.dir=new",)


def at(images_seen: int, number: int, **more: object) -> tuple[str, ...]:
    """Return the overrides that send a signal at a position."""
    items = {"_target_": "tests.faults.bad.SignalAt", "images_seen": images_seen, "number": number}
    return tuple(f"+callbacks.signal.{key}={value}" for key, value in (items | more).items())


def seen(run: Path) -> int:
    last = read_checkpoint(run / "checkpoints" / "last.ckpt")
    return last["state_dict"]["_extra_state"]["images_seen"]


def session(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())["sessions"][-1]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.fault(35)),
        pytest.param(signal.SIGUSR1, 143, marks=pytest.mark.fault(35)),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.fault(36)),
    ],
)
def test_a_signal_saves_at_the_end_of_the_batch(
    number: signal.Signals, status: int, command: Command
) -> None:
    ended = command(*SMALL, *PLACE, *at(8, number))
    assert ended.status == status
    assert seen(Path("new")) == 16  # the batch from 8 to 16 was running
    assert "stopped at 16 images seen, saved: resume=new" in ended.out
    assert session(Path("new")) | {"status": status, "images_seen": 16} == session(Path("new"))


@pytest.mark.fault(35)
def test_a_signal_in_an_epochs_last_batch_waits_for_what_the_epoch_makes(command: Command) -> None:
    ended = command(
        *SMALL, *PLACE, *at(24, signal.SIGTERM), "callbacks.checkpoints.every_n_epochs=2"
    )
    assert ended.status == 143
    assert seen(Path("new")) == 32
    assert Path("new/samples/000000032.png").exists()


@pytest.mark.slow
@pytest.mark.fault(35)
def test_workers_outlive_a_long_batch_after_a_signal_to_all(tmp_path: Path) -> None:
    """A rank takes the death of a worker for a failure, whether it needs more batches or not."""
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "train.py"), *SMALL, *PLACE, "data.num_workers=1"),
            "+callbacks.signal={_target_: tests.faults.bad.SignalGroupAt, images_seen: 8, "
            "seconds: 7}",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 143, done.stderr
    assert "Traceback" not in done.stderr
    assert seen(tmp_path / "new") == 16


@pytest.mark.fault(35)
def test_a_worker_waits_for_its_rank_or_a_second_signal() -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()

    def work() -> None:
        calm_worker(0)
        ready.set()
        while True:
            time.sleep(0.01)

    worker = context.Process(target=work, daemon=True)
    worker.start()
    assert ready.wait(10)
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
        os.kill(worker.pid, number)
    worker.join(0.5)
    assert worker.is_alive()
    os.kill(worker.pid, signal.SIGTERM)
    worker.join(10)
    assert worker.exitcode == 0


@pytest.mark.fault(38)
def test_a_killed_worker_is_named(command: Command) -> None:
    # Killed while the two hand each other a batch, the rank's thread prints a traceback of its own.
    idle = at(8, signal.SIGKILL, worker=True, slow=1.0)
    ended = command(*SMALL, *PLACE, *idle, "data.num_workers=1")
    assert ended.status == 1
    assert "a loader worker was ended by a signal, Killed" in ended.err
    assert "data.num_workers=0" in ended.err


@pytest.mark.fault(36)
def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    overrides = (*SMALL, *PLACE, *at(8, 0, slow=60))
    run = subprocess.Popen([sys.executable, str(ROOT / "train.py"), *overrides], cwd=tmp_path)
    wait_for(tmp_path / "new" / "metrics.csv")
    time.sleep(1.0)  # the slow step has begun
    run.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(2)  # it waits for the end of the batch
    run.send_signal(signal.SIGINT)
    assert run.wait(10) == 130


@pytest.mark.fault(35)
def test_slurms_warning_and_its_sigterm_are_one_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    with watched() as endings:
        endings.training = True
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (endings.status, left) == (143, [])
        os.kill(os.getpid(), signal.SIGTERM)
        assert left == [143]


@pytest.mark.parametrize(
    ("number", "rank", "status"),
    [
        pytest.param(signal.SIGTERM, 1, 143, marks=pytest.mark.fault(37)),
        pytest.param(signal.SIGTERM, 0, 143, marks=[pytest.mark.fault(37), pytest.mark.slow]),
        pytest.param(signal.SIGUSR1, 1, 143, marks=[pytest.mark.fault(35), pytest.mark.slow]),
        pytest.param(signal.SIGINT, 0, 130, marks=[pytest.mark.fault(36), pytest.mark.slow]),
    ],
)
def test_a_signal_to_one_rank_ends_all_at_the_same_batch(
    number: int, rank: int, status: int, command: Command, tmp_path: Path
) -> None:
    ended = command(*SMALL, *PLACE, *at(16, number, rank=rank), *ranks(tmp_path))
    assert ended.status == status
    assert seen(Path("new")) == 32
    assert_gone(tmp_path)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.fault(36)),
        pytest.param(signal.SIGUSR1, 143, marks=[pytest.mark.fault(35), pytest.mark.slow]),
    ],
)
def test_a_signal_to_the_group_of_two_ranks(number: int, status: int, tmp_path: Path) -> None:
    """As a terminal sends Ctrl-C, and SLURM its warning."""
    slow = at(16, 0, rank=9, slow=0.3)
    run = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *SMALL, *PLACE, *slow, *ranks(tmp_path)],
        cwd=tmp_path,
        start_new_session=True,
    )
    wait_for(tmp_path / "new" / "metrics.csv")
    os.killpg(run.pid, number)
    assert run.wait(60) == status
    assert 16 <= seen(tmp_path / "new") < 128
    assert_gone(tmp_path)


@pytest.mark.fault(38)
def test_a_killed_rank_ends_all(command: Command, tmp_path: Path) -> None:
    ended = command(*SMALL, *PLACE, *at(16, signal.SIGKILL, rank=1), *ranks(tmp_path))
    assert ended.status == 1
    assert "rank 1 was ended by SIGKILL" in ended.err
    assert_gone(tmp_path)


@pytest.mark.fault(13)
def test_ranks_end_whatever_their_threads_are_at(command: Command, tmp_path: Path) -> None:
    """Torch's gloo threads abort a process that is finalized while they free what they sent."""
    starved = "+callbacks.starved._target_=tests.faults.bad.Starved"
    ended = command(*SMALL, *PLACE, *ranks(tmp_path), starved)
    assert ended.status == 0, ended.err
    assert session(Path("new"))["status"] == 0


def leaving(rank: int, folder: Path) -> None:
    """Leave work for later, as a logger's upload does."""
    skip_finalization()
    atexit.register((folder / "atexit").touch)
    threading.Thread(target=lambda: (time.sleep(0.5), (folder / "thread").touch())).start()


@pytest.mark.fault(13)
def test_a_rank_waits_for_what_it_left_for_the_end(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(leaving, (tmp_path,), 1)
    assert {path.name for path in tmp_path.iterdir()} == {"atexit", "thread"}


@pytest.mark.slow
@pytest.mark.fault(38)
def test_ranks_end_when_the_first_process_is_killed(tmp_path: Path) -> None:
    overrides = (*SMALL, *PLACE, *ranks(tmp_path), "trainer.max_epochs=10000")
    run = subprocess.Popen([sys.executable, str(ROOT / "train.py"), *overrides], cwd=tmp_path)
    wait_for(tmp_path / "new" / "metrics.csv", 120)
    run.kill()
    run.wait()
    assert_gone(tmp_path, 60)


@pytest.mark.fault(38)
def test_a_rank_that_starts_after_the_first_process_was_killed(tmp_path: Path) -> None:
    """Its folder may be another run's by then."""
    script = (
        "import os, signal\n"
        "from multiprocessing import get_context\n"
        "from tests.faults.bad import late_rank\n"
        "if __name__ == '__main__':\n"
        "    get_context('spawn').Process(target=late_rank, args=('.',)).start()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "first.py").write_text(script)
    more = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "first.py"], cwd=tmp_path, env=more, timeout=60)
    wait_for(tmp_path / "late.pid")
    deadline = time.monotonic() + 5  # sooner than the ten seconds that a training rank has
    pid = int((tmp_path / "late.pid").read_text() or 0)
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(pid)


def ranks(folder: Path) -> tuple[str, ...]:
    """Return the overrides of two ranks that leave their process ids in a folder."""
    more = {"_target_": "tests.faults.bad.Ranks", "folder": folder}
    return ("trainer.devices=2", *(f"+callbacks.ranks.{k}={v}" for k, v in more.items()))


def assert_gone(folder: Path, seconds: float = 10.0) -> None:
    """Assert that both ranks ended: no orphans."""
    pids = [int(path.stem) for path in folder.glob("*.pid")]
    assert len(pids) == 2
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, pids))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(path: Path, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.05)


@pytest.mark.fault(34)
@pytest.mark.parametrize("who", ["D", "G"])
@pytest.mark.parametrize("how", ["nan", "inf", "gradient"])
def test_what_is_not_finite_stops_before_the_update(
    who: str, how: str, run: Path, command: Command
) -> None:
    last = run / "checkpoints" / "last.ckpt"
    before = sha256(last), sha256(run / "generator.safetensors")
    spoilt = ("loss._target_=tests.faults.bad.NaNAt", "+loss.call=2", f"+loss.who={who}")
    ended = command(f"resume={run}", "trainer.max_epochs=4", *spoilt, f"+loss.how={how}")
    assert ended.status == 1
    what = "grad_norm" if how == "gradient" else "loss"
    assert f"{what}/{who} is not finite at images_seen=72" in ended.err
    assert "try a lower optimizer.lr" in ended.err
    assert f"{last} is the last good checkpoint (images_seen=64)" in ended.err
    assert (sha256(last), sha256(run / "generator.safetensors")) == before


@pytest.mark.fault(34)
def test_weights_that_are_no_numbers_are_never_saved(run: Path, command: Command) -> None:
    """G's update is the last thing in an epoch: no loss and no gradient shows what it did."""
    before = sha256(run / "checkpoints" / "last.ckpt")
    one = ("trainer.max_epochs=3", "trainer.limit_train_batches=1")
    ended = command(f"resume={run}", *one, "optimizer.generator.lr=1e38")
    assert ended.status == 1
    assert "weights are not finite at images_seen=72" in ended.err
    assert sha256(run / "checkpoints" / "last.ckpt") == before


@pytest.fixture
def owner(run: Path) -> Iterator[subprocess.Popen]:
    """Return another process that has the folder."""
    script = (
        "import sys, time; from gan_lightning.system.portable import lock;"
        "file = open(sys.argv[1], 'w'); file.write('process 7 on mars'); file.flush();"
        "print(lock(file, 0), flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(run / ".lock")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.fault(39)
def test_two_runs_in_one_folder(run: Path, owner: subprocess.Popen, command: Command) -> None:
    again = (f"resume={run}", "trainer.max_epochs=3")
    ended = command(*again)
    assert ended.status == 2
    assert "in use by process 7 on mars" in ended.err
    assert seen(run) == 64
    owner.kill()  # leaves its file, but no lock
    owner.wait()
    assert command(*again).status == 0
    assert seen(run) == 96
    assert not (run / ".lock").exists()


@pytest.mark.fault(25)
def test_a_folder_below_a_file(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").touch()
    ended = command(*SMALL, "hydra.run.dir=file/run")
    assert ended.status == 2
    assert "cannot be written" in ended.err


@pytest.mark.fault(25)
def test_a_place_that_only_looks_writable(command: Command) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc: a folder where even root can make none")
    ended = command(*SMALL, "hydra.run.dir=/proc/run")
    assert ended.status == 2
    assert "hydra.run.dir=/proc/run cannot be written" in ended.err


@pytest.mark.fault(25)
def test_a_read_only_file_system(tmp_path: Path, command: Command) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount")
    try:
        ended = command(*SMALL, f"hydra.run.dir={disk}/run")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    assert ended.status == 2
    assert "cannot be written" in ended.err


@pytest.mark.fault(40)
def test_a_sweep_shows_which_jobs_failed(tmp_path: Path, command: Command) -> None:
    loss = ("loss._target_=tests.faults.bad.NaNAt", "+loss.call=2,99,99999")
    ended = command("-m", *SMALL, "hydra.sweep.dir=sweep", "trainer.max_epochs=1", *loss)
    assert ended.status == 1
    _, _, table = ended.err.partition("jobs that failed")
    (row,) = [line for line in table.splitlines() if line.strip("│ ").startswith("0 ")]
    assert "loss/D is not finite" in row
    assert "+loss.call=2" in table
    assert "+loss.call=99" not in table
    folders = [path for path in (tmp_path / "sweep").iterdir() if path.is_dir()]
    assert len([path for path in folders if (path / "generator.safetensors").exists()]) == 2


@pytest.mark.fault(36)
def test_a_command_leaves_signals_as_they_were(command: Command) -> None:
    """Else Ctrl-C would not end what called it: a notebook, or these tests."""
    before = signal.getsignal(signal.SIGINT)
    assert command(*SMALL, *PLACE, "trainer.max_epochs=-5").status == 2
    assert signal.getsignal(signal.SIGINT) is before
