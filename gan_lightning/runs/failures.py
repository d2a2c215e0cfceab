"""Turns an exception of a run into one sentence with what to try."""

import errno
import re
import signal
from pathlib import Path

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from gan_lightning.config import Settings
from gan_lightning.errors import RunError, UserError
from gan_lightning.system.checkpoint_file import read_checkpoint
from gan_lightning.system.launched import launched
from gan_lightning.system.portable import STATUS

_MEMORY = re.compile(r"can't allocate memory|out of memory|bad_alloc|MemoryError", re.I)
_LOST = re.compile(
    r"Connection (was likely )?(closed|reset|timed out)|recv, got 0 bytes|Timed out waiting"
    r"|Broken pipe|No route to host|NCCL.*(remote|abort)",
    re.I,
)
_TORCH_WRITER = "PytorchStreamWriter failed writing"  # it does not say why
_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file grew beyond the process's limit",
}


def explain(error: BaseException, settings: Settings, asked: int) -> BaseException:
    """Return the error to raise instead: `RunError` or `SystemExit` where the cause is known.

    `asked` is the status that a signal asked this process for, or 0.
    """
    if isinstance(error, UserError | RunError | SystemExit):
        return error
    # What Lightning learns of the data: a limit or an interval that does not fit it.
    interval = isinstance(error, ValueError) and "val_check_interval" in str(error)
    if interval or isinstance(error, MisconfigurationException):
        return UserError(f"trainer: {' '.join(str(error).split())}")
    if asked:  # the ranks end in any order, and lose each other
        return SystemExit(asked)
    if isinstance(error, ProcessExitedException):
        return _exited(error)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ProcessRaisedException):
        for kind in (RunError, UserError, MisconfigurationException):
            _, found, words = text.rpartition(f"{kind.__module__}.{kind.__name__}: ")
            if found:
                return explain(kind(words.strip()), settings, asked)
    sentence = _memory(error, text, settings) or _disk(error, text) or _worker(text)
    if not sentence and launched() and _LOST.search(text):
        sentence = "another process of this run ended, or its host is lost"
    return RunError(sentence) if sentence else error


def _exited(error: ProcessExitedException) -> BaseException:
    if error.exit_code in STATUS.values():
        return SystemExit(error.exit_code)
    if error.exit_code == -signal.SIGTERM:
        return SystemExit(STATUS[signal.SIGTERM])
    how = error.signal_name or f"exit status {error.exit_code}"
    why = " (the system does that when memory runs out)" if how == "SIGKILL" else ""
    return RunError(f"rank {error.error_index} was ended by {how}{why}; all others ended too")


def _memory(error: BaseException, text: str, settings: Settings) -> str:
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    if not known and not _MEMORY.search(text):
        return ""
    size = settings["data"]["batch_size"]
    return f"out of memory at data.batch_size={size}: try data.batch_size={max(size // 2, 1)}"


def _disk(error: BaseException, text: str) -> str:
    for number, words in _DISK.items():
        said = re.search(rf"\[Errno {number}\]|\(os error {number}\)", text)
        if said or getattr(error, "errno", None) == number:
            name = getattr(error, "filename", None)
            return f"{words}{f' ({name})' if name else ''}: make room"
    return f"{_DISK[errno.ENOSPC]}, perhaps: make room" if _TORCH_WRITER in text else ""


def _worker(text: str) -> str:
    found = re.search(r"DataLoader worker \(pid.*\) is killed by signal: (\w+)", text)
    if not found:
        return ""
    how = found.group(1)
    why = " (the system does that when memory runs out)" if how == "Killed" else ""
    return f"a loader worker was ended by a signal, {how}{why}; data.num_workers=0 has none"


def last_good(run_dir: Path) -> tuple[int, str]:
    """Return (images_seen of the last checkpoint, or 0; what it is good for, to end a sentence)."""
    last = run_dir / "checkpoints" / "last.ckpt"
    try:
        seen = read_checkpoint(last).images_seen
    except UserError as error:
        return 0, f"; no checkpoint to go on from ({error})" if last.exists() else ""
    return seen, f"; {last} is the last good checkpoint (images_seen={seen}): resume={run_dir}"
