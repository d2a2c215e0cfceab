"""Files computed once and kept beside the data: never half-written, never fought over."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from gan_lightning.data import ImageDataModule
from gan_lightning.data.batches import ImageTensors


def cache_folder(data: ImageDataModule) -> Path:
    """Return a writable folder: `$GAN_CACHE_DIR`, else beside the data, else `~/.cache`."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gan_lightning"
    root = getattr(data, "root", None)
    asked = os.environ.get("GAN_CACHE_DIR")
    wanted = [Path(asked)] if asked else [Path(root) / "gan_lightning"] if root else []
    for folder in (*wanted, home):
        try:
            if folder.parent.is_dir() and not folder.parent.stat().st_mode & 0o222:
                continue  # marked read-only: root could write there, and should not
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="gan_lightning-"))  # a read-only machine: for this run


def write_once(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, then give it its own, unless another writer was first.

    So every reader, at any time, sees no file or one whole file, and always the same.
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


def fingerprint(images: Tensor, labels: Tensor) -> str:
    """Return 12 hex digits that change with any pixel, label, or their order."""
    digest = hashlib.sha256(repr((tuple(images.shape), images.dtype)).encode())
    digest.update(images.contiguous().numpy().data)
    digest.update(labels.contiguous().numpy().data)
    return digest.hexdigest()[:12]


def split_fingerprint(split: ImageTensors) -> str:
    """Return the fingerprint of a split."""
    return fingerprint(split.images, split.labels)
