"""Labels: how many a folder or a file has, before anything is built, and whether they fit."""

from pathlib import Path

from torch import Tensor

from gan_lightning.data.array_files import read_labels
from gan_lightning.data.image_files import class_folders, training_folder
from gan_lightning.errors import UserError

MOST_CLASSES = 10_000


def count_labels(root: str, labels: str | None = None) -> int:
    """Return one more than the highest label, or the number of class folders; 0 without labels.

    What cannot be read has none: the data module says what is wrong with it. Absurd labels are
    cut to one more than `MOST_CLASSES`, which `check_labels` refuses.
    """
    return min(_count(root, labels), MOST_CLASSES + 1)


def _count(root: str, labels: str | None) -> int:
    path = Path(root).expanduser()
    try:
        if path.is_dir():
            return len(class_folders(training_folder(path)))
        found = read_labels(path, Path(labels).expanduser() if labels else None)
        return 0 if found is None or not len(found) else max(0, int(found.max()) + 1)
    except (OSError, UserError):
        return 0


def check_labels(name: str, count: int, labels: Tensor | None, num_classes: int) -> None:
    """Check that a split has images, and labels that fit.

    Args:
        name: of the data set, or where it is.
        count: of the images.
        labels: int64[N], or None.
        num_classes: how many labels the set is said to have; 0: its labels do not matter.

    Raises:
        UserError: it is empty, or labels are missing or out of range.
    """
    if not count:
        raise UserError(f"{name} has too few images: none is left to train or to test on")
    if labels is not None and len(labels) != count:
        raise UserError(f"{name}: {count:,} images but {len(labels):,} labels")
    if not num_classes:
        return
    if labels is None:
        raise UserError(
            f"data.num_classes={num_classes}, but {name} has no labels: "
            "leave it out, or set it to 0"
        )
    if num_classes > MOST_CLASSES:
        raise UserError(
            f"{name} has more than {MOST_CLASSES:,} classes: data.num_classes=0 ignores them"
        )
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if len(wrong):
        raise UserError(
            f"{name} has the label {int(wrong[0])}, but data.num_classes={num_classes} allows 0 to "
            f"{num_classes - 1}: raise it, or mend the labels"
        )
