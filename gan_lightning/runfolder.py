"""A run's folder: it can be written, and one run alone does so."""

import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from gan_lightning.errors import UserError
from gan_lightning.files import LOCK, lock

RANKS = 1024
LAST_BREATH = 60.0  # seconds that the ranks of a killed run may take to end


class RunFolder:
    """A folder that one run alone writes to, as a context.

    The first process locks byte 0 of `.lock`, rank r byte 1 + r: the ranks of a killed run may
    still be about to save. A kill leaves no lock behind.

    Args:
        path: of the folder.
        shared: this is one of several processes that share a run, and not the first: do nothing.
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
            self._file = self._locked()
        except OSError as error:
            raise UserError(
                f"run_dir={self.path} cannot be written ({error.strerror}): choose another folder "
                "by hydra.run.dir=PATH, or make room"
            ) from error
        return self

    def _locked(self) -> IO[str]:
        """Return the lock file, locked; not one that its last owner has just deleted."""
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
        fcntl.lockf(file, fcntl.LOCK_UN, RANKS, 1)
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
        if self._file is None:
            return
        (self.path / LOCK).unlink(missing_ok=True)
        if self._made and not any(self.path.iterdir()):
            self.path.rmdir()
        self._file.close()
