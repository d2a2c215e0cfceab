"""Checkpoints: what is saved is whole, what is damaged is named, what does not fit is refused."""

import json
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gan_lightning.system.checkpoint_file import hash_file, previous, read_checkpoint
from gan_lightning.system.files import sha256
from tests.conftest import ROOT, Command, Finished, run_script
from tests.faults.conftest import SMALL


def session(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())["sessions"][-1]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("no right to mount")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def assert_stopped_but_whole(run: Path, before: str, status: int, said: str) -> None:
    last = run / "checkpoints" / "last.ckpt"
    assert status == 1
    assert "last.ckpt is the last good checkpoint (images_seen=64)" in said
    assert sha256(last) == before
    assert read_checkpoint(last)["state_dict"]["_extra_state"]["images_seen"] == 64
    assert not list(run.rglob("*.new")) + list(run.rglob("*.tmp"))


@pytest.mark.fault(26)
@pytest.mark.parametrize("temporary", ["same", "other"])
def test_a_full_disk(
    temporary: str,
    small_run: Finished,
    tiny_disk: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Path(shutil.copytree(small_run.cwd / "run", tiny_disk / "run"))
    if temporary == "same":
        monkeypatch.setenv("TMPDIR", str(tiny_disk))
    before = sha256(run / "checkpoints" / "last.ckpt")
    free = shutil.disk_usage(tiny_disk).free
    (tiny_disk / "ballast").write_bytes(b"0" * (free - 150_000))
    ended = command(f"resume={run}", "trainer.max_epochs=9")
    (tiny_disk / "ballast").unlink()
    assert "disk is full" in ended.err
    assert_stopped_but_whole(run, before, ended.status, ended.err)


@pytest.mark.fault(26)
def test_a_checkpoint_that_cannot_be_written_whole(run: Path, command: Command) -> None:
    """The stand-in for a full disk where nothing may be mounted: a limit on the size of files."""
    before = sha256(run / "checkpoints" / "last.ckpt")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        ended = command(f"resume={run}", "trainer.max_epochs=3")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_stopped_but_whole(run, before, ended.status, ended.err)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>404 Not found</html>")


def bare(damage: Callable[[Path], None]) -> Callable[[Path], None]:
    """Damage a file that has no hash beside it."""

    def both(path: Path) -> None:
        damage(path)
        hash_file(path).unlink()

    return both


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(truncate, "corrupt or incomplete", marks=pytest.mark.fault(28), id="half"),
        pytest.param(bare(truncate), "incomplete", marks=pytest.mark.fault(28), id="half, bare"),
        pytest.param(page, "corrupt", marks=pytest.mark.fault(29), id="HTML"),
        pytest.param(bare(page), "not a checkpoint", marks=pytest.mark.fault(29), id="HTML, bare"),
        pytest.param(flip, "hash mismatch", marks=pytest.mark.fault(30), id="one bit"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_the_one_before(
    damage: Callable[[Path], None], words: str, run: Path, command: Command
) -> None:
    last = run / "checkpoints" / "last.ckpt"
    assert previous(last).exists()
    damage(last)
    ended = command(f"resume={run}", "trainer.max_epochs=3")
    assert ended.status == 2
    assert str(last) in ended.err
    assert words in ended.err
    assert "weights_only" not in ended.err
    assert f"mv {previous(last)} {last}" in ended.err


@pytest.mark.fault(28)
def test_a_supervised_run_goes_on_from_the_checkpoint_before(run: Path, command: Command) -> None:
    truncate(run / "checkpoints" / "last.ckpt")
    ended = command(*SMALL, "resume=auto", f"hydra.run.dir={run}")
    assert ended.status == 0, ended.err
    assert "going on from" in ended.out
    assert session(run)["images_seen"] == 64


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.latent_dim=32", "trained with model.latent_dim=64, asked for 32"),
        ("model=mlp", "trained with model."),
    ],
)
def test_another_architecture_is_named(
    override: str, words: str, run: Path, command: Command
) -> None:
    ended = command(f"resume={run}", override, "trainer.max_epochs=3")
    assert ended.status == 2
    assert words in ended.err


@pytest.mark.fault(32)
def test_a_run_without_its_checkpoint(run: Path, command: Command) -> None:
    (run / "checkpoints" / "last.ckpt").unlink()
    ended = command(f"resume={run}", "trainer.max_epochs=3")
    assert ended.status == 2
    assert "last.ckpt" in ended.err


@pytest.mark.fault(33)
@pytest.mark.parametrize("how", ["path", "auto"])
def test_a_finished_run_is_complete(how: str, run: Path, command: Command) -> None:
    before = sha256(run / "checkpoints" / "last.ckpt")
    resume = [f"resume={run}"] if how == "path" else [*SMALL, "resume=auto", f"hydra.run.dir={run}"]
    ended = command(*resume)
    assert ended.status == 0, ended.err
    assert "already complete: 2 of 2 epochs" in ended.out
    assert sha256(run / "checkpoints" / "last.ckpt") == before


@pytest.mark.fault(33)
@pytest.mark.parametrize("how", ["path", "auto"])
def test_a_finished_run_needs_not_its_devices(how: str, run: Path, command: Command) -> None:
    away = "tpu"  # a GPU may be there
    if how == "path":
        config = run / "config.yaml"
        text = config.read_text()
        config.write_text(text.replace("accelerator: cpu", f"accelerator: {away}"))
        assert away in config.read_text()
        ended = command(f"resume={run}")
    else:
        where = ("resume=auto", f"hydra.run.dir={run}", f"trainer.accelerator={away}")
        ended = command(*SMALL, *where)
    assert ended.status == 0, ended.err
    assert "already complete: 2 of 2 epochs" in ended.out
    more = command(f"resume={run}", "trainer.max_epochs=3", f"trainer.accelerator={away}")
    assert more.status == 2
    assert "trainer: " in more.err


@pytest.mark.fault(33)
def test_a_finished_run_does_not_hide_a_mistake(run: Path, command: Command) -> None:
    ended = command(f"resume={run}", "optimizer.lr=-1", "loss._target_=nope.X")
    assert ended.status == 2
    # Of a saved config it is not known that the networks' rates follow `optimizer.lr`.
    assert "optimizer.generator.lr=-1 must be" in ended.err
    assert "loss (nope.X): " in ended.err


@pytest.mark.fault(42)
def test_out_of_memory_names_the_batch_size(run: Path) -> None:
    """A limit on this process's address space is a small machine."""
    before = sha256(run / "checkpoints" / "last.ckpt")
    script = run.parent / "small.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{LITTLE_MEMORY}")
    more = ["data.batch_size=1000", "model.discriminator.image_shape=[1,28,28]"]
    done = run_script(run.parent, str(script), f"resume={run}", "trainer.max_epochs=3", *more)
    assert done.returncode == 1, done.stderr
    assert "out of memory at data.batch_size=1000: try data.batch_size=500" in done.stderr
    assert "Traceback" not in done.stderr
    assert sha256(run / "checkpoints" / "last.ckpt") == before
    assert session(run)["status"] == 1


LITTLE_MEMORY = """
import resource
import train
from lightning import Callback
from gan_lightning.callbacks.stopping import GracefulEnd

def limit(self, trainer, module):
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2_000_000, size + 2_000_000))

GracefulEnd.on_train_epoch_start = limit
if __name__ == "__main__":
    train.main()
"""
