"""Damaged data files are named, with what to do."""

import struct
from pathlib import Path

import pytest

from gan_lightning.data import MNISTDataModule
from gan_lightning.errors import UserError

FILES = {
    "train-images-idx3-ubyte": struct.pack(">IIII", 2051, 2, 28, 28) + bytes(2 * 784),
    "train-labels-idx1-ubyte": struct.pack(">II", 2049, 2) + bytes(2),
    "t10k-images-idx3-ubyte": struct.pack(">IIII", 2051, 1, 28, 28) + bytes(784),
    "t10k-labels-idx1-ubyte": struct.pack(">II", 2049, 1) + bytes(1),
}


def prepare(root: Path, **damaged: bytes) -> MNISTDataModule:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in FILES.items():
        (raw / name).write_bytes(damaged.get(name.replace("-", "_"), content))
    data = MNISTDataModule("MNIST", str(root), name="mnist")
    data.prepare_data()
    return data


def test_small_but_whole_files_are_read(tmp_path: Path) -> None:
    images, labels = prepare(tmp_path).load(train=True)
    assert images.shape == (2, 1, 28, 28)
    assert labels.tolist() == [0, 0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"<html>not found</html>" * 9,
        FILES["train-images-idx3-ubyte"][:-700],
        struct.pack(">IIII", 2051, 2, 14, 14) + bytes(2 * 196),
        struct.pack(">IIII", 2051, 3, 28, 28) + bytes(3 * 784),
    ],
    ids=["empty", "zeros", "html", "truncated", "other size", "more images than labels"],
)
def test_a_damaged_file_is_a_user_error(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"corrupt IDX file in .*MNIST/raw"):
        prepare(tmp_path, train_images_idx3_ubyte=content)
