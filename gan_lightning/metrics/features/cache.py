"""Files computed once and cached beside the data, safe for several processes."""

import hashlib
import os
import tempfile
from pathlib import Path

from torch import Tensor

from gan_lightning.data import DataModule


def cache_folder(data: DataModule) -> Path:
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


def fingerprint(images: Tensor, labels: Tensor) -> str:
    """Return 12 hex digits that change with any pixel, label, or their order."""
    digest = hashlib.sha256(repr((tuple(images.shape), images.dtype)).encode())
    digest.update(images.contiguous().numpy().data)
    digest.update(labels.contiguous().numpy().data)
    return digest.hexdigest()[:12]
