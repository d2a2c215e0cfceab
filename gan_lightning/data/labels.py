"""How many labels a folder or a file has, before anything is built: the networks depend on it."""

from pathlib import Path

import numpy as np

from gan_lightning.data.arrays import read_npz
from gan_lightning.data.folder import class_folders, training_folder
from gan_lightning.data.from_disk import MOST_CLASSES
from gan_lightning.data.idx import read_idx_array
from gan_lightning.errors import UserError


def count_labels(root: str, labels: str | None = None) -> int:
    """Return one more than the highest label, or the number of class folders; 0 without labels.

    What cannot be read has none: the data module says what is wrong with it. Absurd labels are
    cut to one more than `MOST_CLASSES`, which it refuses.
    """
    return min(_count(root, labels), MOST_CLASSES + 1)


def _count(root: str, labels: str | None) -> int:
    path = Path(root).expanduser()
    try:
        if path.is_dir():
            return len(class_folders(training_folder(path)))
        if labels:
            return int(read_idx_array(Path(labels).expanduser(), 1).max()) + 1
        if path.suffix != ".npz":
            return 0
        found = read_npz(path, ("labels",)).get("labels", np.empty(0))
        return max(0, int(found.max()) + 1) if found.size and found.ndim == 1 else 0
    except (OSError, ValueError, UserError):
        return 0
