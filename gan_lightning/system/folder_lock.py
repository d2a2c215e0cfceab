"""The run folder: writable, and locked so that one run at a time uses it."""

import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from gan_lightning.errors import UserError
from gan_lightning.system.portable import LOCKS, lock, unlock

RANKS = 1024
LAST_BREATH = 60.0  # seconds that the ranks of a killed run may take to end


class RunFolder:
    """A folder that one run alone writes to, as a context.

    The first process locks byte 0 of `.lock`, rank r byte 1 + r: the ranks of a killed run may
    still be about to save. A kill leaves no lock behind.

    Args:
        path: of the folder.
        shared: this process is not the first of the run: do nothing.
    """

    def __init__(self, path: Path, shared: bool = False) -> None:
        self.path = path
        self.shared = shared
        self._file: IO[str] | None = None
        self._made = False

    def __enter__(self) -> "RunFolder":
        """Make the folder, try to write there, and lock it.

        Raises:
            UserError: it cannot be written, or another run has it.
        """
        if self.shared:
            return self
        self._made = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".probe.{os.getpid()}"
            probe.write_bytes(b"0" * 4096)
            probe.unlink()
            self._file = self._locked() if LOCKS else None
        except OSError as error:
            raise UserError(
                f"run_dir={self.path} cannot be written ({error.strerror}): choose another folder "
                "by hydra.run.dir=PATH, or make room"
            ) from error
        return self

    def _locked(self) -> IO[str]:
        """Return the locked lock file, opened again if its last owner deleted it meanwhile."""
        path = self.path / LOCK
        while True:
            file = path.open("a+")
            self._take(file)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
            file.close()

    def _take(self, file: IO[str]) -> None:
        deadline = time.monotonic() + LAST_BREATH
        while not lock(file, 0, 1 + RANKS):
            if not lock(file, 0) or time.monotonic() > deadline:
                file.seek(0)
                raise UserError(
                    f"run_dir={self.path} is in use by {file.read().strip() or 'another run'}: "
                    "wait for it, end it, or choose another folder by hydra.run.dir=PATH"
                )
            time.sleep(0.1)  # its first process is gone
        unlock(file, 1, RANKS)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unlock; nothing is left of a run that never started."""
        if self.shared:
            return
        (self.path / LOCK).unlink(missing_ok=True)
        if self._made and not any(self.path.iterdir()):
            self.path.rmdir()
        if self._file:
            self._file.close()


LOCK = ".lock"  # in a run's folder


_held: list[IO[str]] = []  # until the process ends


def hold_rank(folder: Path, rank: int) -> None:
    """Keep a run's folder locked as long as this spawned rank lives: it may outlive the first
    process and still save.
    """
    if (folder / LOCK).exists():
        _held.append((folder / LOCK).open("a"))
        lock(_held[-1], 1 + rank)
