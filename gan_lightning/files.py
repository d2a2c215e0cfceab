"""Writing files so that a reader, or a crash at any moment, never sees half of one."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

LOCK = ".lock"  # in a run's folder
_held: list[IO[str]] = []  # until the process ends


def atomic_write(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, then put it in place at once.

    The temporary file is in the target's own folder (a rename across file systems is a copy, and
    a copy can fail half-way); file and folder are synced, so that a power cut cannot undo the
    rename or leave it pointing at nothing. Whatever fails, the previous file survives.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make renames within a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock(file: IO[str], first: int, count: int = 1) -> bool:
    """Lock bytes of an open file for this process until it ends; False if another one has them.

    POSIX record locks: the kernel drops them however the process ends, and forks do not inherit
    them. Closing *any* descriptor of the file drops them too, so open it once. A file system
    without locks locks nothing.
    """
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def hold_rank(folder: Path, rank: int) -> None:
    """Keep a run's folder locked as long as this spawned rank lives: it may outlive the first
    process and still save.
    """
    if (folder / LOCK).exists():
        _held.append((folder / LOCK).open("a"))
        lock(_held[-1], 1 + rank)
