"""The run folder: writable, and locked so that one run at a time uses it."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gan_lightning.errors import UserError
from gan_lightning.system.portable import LOCKS, lock, unlock

LOCK = ".lock"  # in a run's folder
RANKS = 1024
LAST_BREATH = 60.0  # seconds that the ranks of a killed run may take to end
_held: list[IO[str]] = []  # until the process ends


@contextmanager
def run_folder(path: Path, key: str = "run_dir", way: str = "hydra.run.dir=PATH") -> Iterator[None]:
    """Make a folder that one run alone writes to; nothing is left of a run that never started.

    The first process locks byte 0 of `.lock`, rank r byte 1 + r: the ranks of a killed run may
    still be about to save. A kill leaves no lock behind. Errors name the key, and the way to choose
    another folder.

    Raises:
        UserError: it cannot be written, or another run has it.
    """
    made = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe.{os.getpid()}"
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
        file = _locked(path, key, way) if LOCKS else None
    except OSError as error:
        raise UserError(
            f"{key}={path} cannot be written ({error.strerror}): choose another folder by "
            f"{way}, or make room"
        ) from error
    try:
        yield
    finally:
        (path / LOCK).unlink(missing_ok=True)
        if made and not any(path.iterdir()):
            path.rmdir()
        if file:
            file.close()


def _locked(folder: Path, key: str, way: str) -> IO[str]:
    """Return the locked lock file, opened again if its last owner deleted it meanwhile."""
    path = folder / LOCK
    while True:
        file = path.open("a+")
        _take(file, folder, key, way)
        if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
        file.close()


def _take(file: IO[str], folder: Path, key: str, way: str) -> None:
    deadline = time.monotonic() + LAST_BREATH
    while not lock(file, 0, 1 + RANKS):
        if not lock(file, 0) or time.monotonic() > deadline:
            file.seek(0)
            raise UserError(
                f"{key}={folder} is in use by {file.read().strip() or 'another run'}: wait for "
                f"it, end it, or choose another folder by {way}"
            )
        time.sleep(0.1)  # its first process is gone
    unlock(file, 1, RANKS)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()


def in_use(path: Path) -> bool:
    """Whether another process has a folder locked."""
    try:
        with (path / LOCK).open("r+") as file:
            return not lock(file, 0, 1 + RANKS)
    except OSError:  # there is no lock
        return False


def hold_rank(folder: Path, rank: int) -> None:
    """Keep a folder locked while this spawned rank lives: it may save after the first process."""
    if (folder / LOCK).exists():
        _held.append((folder / LOCK).open("a"))
        lock(_held[-1], 1 + rank)
