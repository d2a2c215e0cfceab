"""Damaged data files are named, with what to do."""

import gzip
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from torchvision import datasets
from torchvision.datasets.utils import calculate_md5

from gan_lightning.config.build import build_data
from gan_lightning.data import MNISTDataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.errors import UserError
from gan_lightning.metrics.features.cache import cache_folder

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


def test_files_are_read_once(tmp_path: Path) -> None:
    """They were five times a start: prepared, hashed, set up, and twice for the scores."""
    data = prepare(tmp_path)
    shutil.rmtree(tmp_path / "MNIST")
    data.setup()
    assert [len(data.images), len(data.split(train=False)), len(data.split(train=True))] == [
        2,
        1,
        2,
    ]


@pytest.mark.fault(19)
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
    with pytest.raises(UserError, match=r"corrupt IDX file: .*MNIST/raw/train-"):
        prepare(tmp_path, train_images_idx3_ubyte=content)


def raw(root: Path) -> Path:
    return root / "MNIST" / "raw"


def images(root: Path, **options: Any) -> ImageTensors:
    """The training images of small files, as a run gets them."""
    data = MNISTDataModule("MNIST", str(root), name="mnist", **options)
    data.prepare_data()
    data.setup()
    return data.images


@pytest.mark.fault(18)
def test_a_file_cut_by_a_kill_is_unpacked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "train-images-idx3-ubyte"
    prepare(tmp_path)
    archive = raw(tmp_path) / f"{name}.gz"
    archive.write_bytes(gzip.compress(FILES[name]))
    (raw(tmp_path) / name).write_bytes(FILES[name][:900])
    sums = [(f"{other}.gz", calculate_md5(archive)) for other in FILES]
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    assert len(images(tmp_path, batch_size=1)) == 2
    assert (raw(tmp_path) / name).read_bytes() == FILES[name]
    assert sorted(p.name for p in raw(tmp_path).iterdir()) == sorted([*FILES, archive.name])


@pytest.mark.fault(18)
def test_a_cut_file_beside_another_cut_file_is_corrupt(tmp_path: Path) -> None:
    """The .gz is not what it should be either: MD5."""
    prepare(tmp_path)
    (raw(tmp_path) / "t10k-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00")
    (raw(tmp_path) / "t10k-labels-idx1-ubyte.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(UserError, match=r"t10k-labels-idx1-ubyte: .*delete it to fetch"):
        images(tmp_path)


@pytest.mark.fault(20)
def test_other_content_than_everybodys_is_warned_of(tmp_path: Path) -> None:
    prepare(tmp_path)
    node = {"_target_": "gan_lightning.data.MNISTDataModule", "dataset": "MNIST", "name": "mnist"}
    _, warning, _ = build_data({"data": {**node, "root": str(tmp_path)}})
    assert "train-images-idx3-ubyte is not the file that everybody has" in warning


@pytest.mark.fault(20)
def test_the_real_files_are_those_that_everybody_has(mnist_root: str) -> None:
    data = MNISTDataModule("MNIST", mnist_root, name="mnist")
    data.prepare_data()
    assert data.remark == ""


@pytest.mark.fault(21)
def test_labels_that_the_set_does_not_have(tmp_path: Path) -> None:
    labels = struct.pack(">II", 2049, 2) + bytes([3, 200])
    prepare(tmp_path, train_labels_idx1_ubyte=labels)
    with pytest.raises(UserError, match=r"mnist has the label 200, but data\.num_classes=10"):
        images(tmp_path)


@pytest.mark.fault(21)
def test_fewer_labels_than_images(tmp_path: Path) -> None:
    labels = struct.pack(">II", 2049, 1) + bytes(1)
    with pytest.raises(UserError, match="train-labels-idx1-ubyte: 1 labels for 2 images"):
        prepare(tmp_path, train_labels_idx1_ubyte=labels)


@pytest.mark.fault(22)
def test_classes_without_an_image(tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(UserError, match=r"data\.classes=\[7\]: mnist has no image of these"):
        images(tmp_path, classes=[7])


@pytest.mark.fault(23)
def test_an_empty_set(tmp_path: Path) -> None:
    none = struct.pack(">IIII", 2051, 0, 28, 28), struct.pack(">II", 2049, 0)
    prepare(tmp_path, train_images_idx3_ubyte=none[0], train_labels_idx1_ubyte=none[1])
    with pytest.raises(UserError, match="mnist has too few images"):
        images(tmp_path)


@pytest.mark.fault(24)
def test_a_read_only_folder_works_and_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "data"
    data = prepare(root)
    folders = [root, root / "MNIST", raw(root)]
    for folder in folders:
        folder.chmod(0o555)  # for root too, who could write: the times tell
    before = [(folder.stat().st_mtime_ns, sorted(folder.iterdir())) for folder in folders]
    try:
        assert len(images(root)) == 2
        assert cache_folder(data) == tmp_path / "cache" / "gan_lightning"
        after = [(folder.stat().st_mtime_ns, sorted(folder.iterdir())) for folder in folders]
        assert after == before
    finally:
        for folder in folders:
            folder.chmod(0o755)
