"""Checkpoint files: written atomically with a hash, the previous one kept; read as weights only."""

import errno
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import torch

from gan_lightning.errors import UserError
from gan_lightning.system.files import atomic_write, sha256
from gan_lightning.system.portable import sync_folder
from gan_lightning.system.untrusted import check_archive, printable, read_small

AVERAGE = "average.module."  # in front of the averaged generator's tensors
_kept: dict[Any, "RunCheckpoint"] = {}  # the file that a start is about to resume from


def hash_file(path: Path) -> Path:
    """Return where the SHA-256 of a checkpoint is kept."""
    return path.with_name(f"{path.name}.sha256")


def previous(path: Path) -> Path:
    """Return where the checkpoint before this one is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write_checkpoint(checkpoint: dict[str, Any], path: Path) -> None:
    """Write `path`, keeping the file that was there as `<name>.previous.ckpt`.

    The hash file names the old and the new hash before the new checkpoint is renamed into
    place: whenever the process dies, the checkpoint that is there has its hash beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        atomic_write(fresh, lambda file: torch.save(checkpoint, file))
        hashes = [sha256(fresh)]
        if path.exists():
            hashes.append(sha256(path))
            # A damaged one must not take the place of the good one before it.
            if hashes[1] in (read_hashes(path) or hashes):
                _link(path, previous(path))
        atomic_write(hash_file(path), lambda file: file.write_text("\n".join([*hashes, ""])))
        atomic_write(path, lambda file: os.replace(fresh, file))
    finally:
        fresh.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    """Give a checkpoint and its hash another name atomically, by a hard link where possible."""
    link = target.with_name(f".{target.name}.{os.getpid()}.link")
    link.unlink(missing_ok=True)
    try:
        os.link(source, link)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, link)
    atomic_write(hash_file(target), lambda file: file.write_text(f"{sha256(source)}\n"))
    os.replace(link, target)
    link.unlink(missing_ok=True)  # two names of one file: there is nothing to replace then
    sync_folder(target.parent)


def restore_previous(path: Path) -> None:
    """Replace a damaged checkpoint by the one before it."""
    _link(previous(path), path)


def read_hashes(path: Path) -> list[str] | None:
    """Return what the file beside a checkpoint says are its hashes; None if there is none."""
    beside = hash_file(path)
    if not os.path.lexists(beside):
        return None
    try:
        return read_small(beside, limit=4096, follow=False).decode("ascii").split()
    except (OSError, ValueError) as error:
        raise UserError(f"{beside} is not a file of hashes: delete it") from error


class DamagedCheckpoint(UserError):
    """The checkpoint is damaged; the one before it is used instead."""


# Whatever torch, zipfile and pickle raise at content that is none of theirs.
_UNREADABLE = (
    *(RuntimeError, EOFError, LookupError, AttributeError, TypeError, ValueError, OSError),
    *(ArithmeticError, MemoryError, zipfile.BadZipFile, pickle.UnpicklingError),
)
# These say nothing of the content: the same file may be read another time.
_PASSING = (errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ETIMEDOUT)


def read_verified(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load a file of tensors and plain values, after checking its hash if there is one.

    Raises:
        DamagedCheckpoint: names the previous checkpoint if that is whole.
        UserError: it cannot be read.
    """
    hashes = read_hashes(path)
    try:
        if hashes is not None and sha256(path) not in hashes:
            raise DamagedCheckpoint(
                f"{path} is corrupt or incomplete (hash mismatch){_advice(path)}"
            )
        check_archive(path)
        return torch.load(path, map_location=map_location, weights_only=True)
    except _UNREADABLE as error:
        reason = printable(str(error).partition("\n")[0])[:200] or type(error).__name__
        if "eights only" in reason:  # torch goes on with advice to trust the file
            reason = "not of tensors alone"
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in _PASSING:
            raise UserError(f"{path} cannot be read ({reason}): try again") from error
        raise DamagedCheckpoint(
            f"{path} is not a checkpoint, or is incomplete ({reason}){_advice(path)}"
        ) from error


class RunCheckpoint(dict[str, Any]):
    """A checkpoint of a run, read and checked: where in it what stands is known here alone."""

    @property
    def config(self) -> dict[str, Any]:
        return self["config"]

    @property
    def images_seen(self) -> int:
        return self["state_dict"]["_extra_state"]["images_seen"]

    @property
    def scores(self) -> dict[str, float]:
        """Return those that were measured at this position."""
        state = self["state_dict"]["_extra_state"]
        measured = state.get("course", {}).get("latest_at", self.images_seen)
        return state["scores"] if measured == self.images_seen else {}

    @property
    def epochs(self) -> int:
        """How many were completed."""
        return self["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]

    def in_data(self, data_class: str) -> dict[str, int]:
        """Return the `epoch` and the `batch` within it that a data module of that class was at."""
        return self.get(data_class, {})

    def average(self) -> dict[str, torch.Tensor]:
        """Return the averaged generator's tensors by their names in the generator."""
        state, start = self["state_dict"], len(AVERAGE)
        return {name[start:]: value for name, value in state.items() if name.startswith(AVERAGE)}


def _mark(path: Path) -> tuple[str, int, int, int] | None:
    """Return what tells this content of a file from another, None if there is no such file."""
    if not path.is_file():
        return None
    status = path.stat()
    return str(path.resolve()), status.st_ino, status.st_mtime_ns, status.st_size


def read_once(path: Path) -> RunCheckpoint:
    """Load a checkpoint by `read_checkpoint`, and keep it for the next who asks for that file."""
    mark = _mark(path)
    if mark not in _kept:
        _kept.clear()
        _kept[mark] = read_checkpoint(path)
    return _kept[mark]


def take_kept(path: Path) -> RunCheckpoint | None:
    """Return the checkpoint if it was kept, and keep it no longer."""
    return _kept.pop(_mark(path), None)


def read_checkpoint(path: Path) -> RunCheckpoint:
    """Load a checkpoint; raise UserError if no run of this project wrote it, or it is damaged."""
    checkpoint = read_verified(path)
    if not isinstance(checkpoint, dict) or not {"config", "state_dict"} <= checkpoint.keys():
        raise UserError(f"{path} is not a checkpoint of this project")
    if any("hyper_parameters" in str(key) for key in checkpoint):
        # This project keeps none; in them `_instantiator` tells Lightning what to import and call.
        raise UserError(f"{path} has hyper_parameters, as no checkpoint of this project has")
    return RunCheckpoint(checkpoint)


def _advice(path: Path) -> str:
    second = previous(path)
    if not second.is_file() or sha256(second) not in (read_hashes(second) or []):
        return ""
    return f"; the one before it is whole: mv {second} {path}"
