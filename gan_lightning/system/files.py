"""Writing files so that a reader, or a crash at any moment, never sees half of one."""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from gan_lightning.system.portable import sync_folder


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in place at once.

    File and folder are synced, so that a power cut cannot undo the rename or leave it pointing at
    nothing. Whatever fails, the previous file survives.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # as the umask has it; some writers make private files
        write(temporary)
        temporary.chmod(mode)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def relative(path: str | Path) -> str:
    """Return a path as short as it can be typed from here."""
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_once(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, then give it its own, unless another writer was first.

    A reader sees either no file or one whole file, always the same.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes private files; the cache may be shared
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
