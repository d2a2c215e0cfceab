"""The one door to what Windows or macOS lack, and what is done there instead.

| here | without it |
|---|---|
| SIGUSR1 | only Ctrl-C and SIGTERM ask a run to end |
| `pthread_sigmask` | a signal while a loader's workers start may end them |
| record locks (`fcntl`) | two runs in one folder are not kept apart |
| fsync of a folder | a power cut may undo the last rename |
| `O_NONBLOCK`, `O_NOFOLLOW` | there are no named pipes; links are followed |
| `statvfs` | a file is taken for whole blocks of 4 kB, and there is room for any number |
| `sched_getaffinity` | all cores of the machine are counted |
| process groups (`killpg`) | a job that does not end is killed alone |
| workers by `fork` (Linux) | they are spawned: a slower start |
| `prctl` (Linux) | the runs of a killed search train on, and its next start waits for them |
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

FORK = sys.platform == "linux"  # elsewhere it is not safe
LOCKS = fcntl is not None
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

# What a process ends with. SLURM sends USR1 some time before its limit (#SBATCH
# --signal=USR1@60): it is the same wish.
ANNOUNCED = getattr(signal, "SIGUSR1", None)
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143} | ({ANNOUNCED: 143} if ANNOUNCED else {})


def mask_signals(block: bool, numbers: Iterable[signal.Signals] = tuple(STATUS)) -> None:
    """Block signals in this thread, or let them through; without masks nothing is done."""
    if hasattr(signal, "pthread_sigmask"):
        how = signal.SIG_BLOCK if block else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, numbers)


def lock(file: IO[str], first: int, count: int = 1) -> bool:
    """Lock bytes of an open file for this process until it ends; False if another one has them.

    POSIX record locks: the kernel drops them however the process ends, and forks do not inherit
    them. Closing *any* descriptor of the file drops them too, so open it once. A file system
    without locks locks nothing.
    """
    if not LOCKS:
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def unlock(file: IO[str], first: int, count: int) -> None:
    """Unlock bytes of an open file."""
    if LOCKS:
        fcntl.lockf(file, fcntl.LOCK_UN, count, first)


def sync_folder(folder: Path) -> None:
    """Make renames within a folder durable."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_at_once(path: Path, follow: bool = True) -> int:
    """Return the descriptor of a file opened to read, without waiting for a pipe's other end."""
    flags = ("O_NONBLOCK", "O_BINARY") if follow else ("O_NONBLOCK", "O_BINARY", "O_NOFOLLOW")
    return os.open(path, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags))


def dies_with_parent() -> Callable[[], None] | None:
    """Return what a new process calls to get SIGTERM when the thread that started it ends."""
    if sys.platform != "linux":
        return None
    library, parent = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before
            os._exit(STATUS[signal.SIGTERM])

    return ask


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def native_bf16() -> bool:
    """Whether this CPU itself multiplies bfloat16: AVX-512 BF16, or AMX."""
    import torch  # takes seconds, and this module is read by commands that need none

    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # newer torch has them
    return any(getattr(torch.cpu, name, bool)() for name in checks)


def blocks_and_slots(place: Path) -> tuple[int, int]:
    """Return (bytes of a block, files that still fit) of a folder's disk; 0 files: not known."""
    if not hasattr(os, "statvfs"):
        return 4096, 0
    found = os.statvfs(place)
    return found.f_frsize, found.f_favail


def ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Send the wish to save and end, which a SIGTERM from elsewhere does not make an order."""
    process.send_signal(ANNOUNCED or signal.SIGTERM)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a group, with its group."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
