"""Images from elsewhere: what is read, and what is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning.data import ArrayDataModule, ImageDataModule, ImageFolderDataModule
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import read_images
from gan_lightning.sampling.write import write_samples

REALS = ImageDataModule("reals", resolution=8)
IMAGES = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
LABELS = torch.tensor([3, 1, 4, 1, 5, 9])


@pytest.mark.parametrize("name", ["digits.npz", "digits"])
def test_what_sample_writes_is_read_back(name: str, tmp_path: Path) -> None:
    chunks = [(IMAGES[:4] / 127.5 - 1, LABELS[:4]), (IMAGES[4:] / 127.5 - 1, LABELS[4:])]
    write_samples(tmp_path / name, iter(chunks), 6)
    images, labels = read_images(tmp_path / name, 100, REALS)
    assert labels is not None
    assert torch.equal(images, IMAGES)
    assert torch.equal(labels, LABELS)
    assert len(read_images(tmp_path / name, 2, REALS)[0]) == 2


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_channels_first_or_last(axes: tuple[int, ...], tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=colour.transpose(axes))
    images, labels = read_images(tmp_path / "x.npz", 100, REALS)
    assert (images.numpy() == colour).all()
    assert labels is None


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"pictures": IMAGES.numpy()}, "array `images`"),
        ({"images": IMAGES.float().numpy()}, "uint8"),
        ({"images": IMAGES[:0].numpy()}, "at least one"),
        ({"images": IMAGES[0, 0].numpy()}, "must be \\[N, H, W\\]"),
        ({"images": np.array([{}], dtype=object)}, "must be uint8"),
        ({"images": IMAGES.numpy(), "labels": LABELS[:2].numpy()}, "6 images but 2 labels"),
    ],
)
def test_bad_files(arrays: dict, complaint: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=complaint):
        read_images(tmp_path / "x.npz", 100, REALS)


def test_bad_places(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path / "x.tar"):
        with pytest.raises(UserError, match="exists"):
            read_images(path, 10, REALS)
    with pytest.raises(UserError, match="no images are in"):
        read_images(tmp_path, 10, REALS)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"a\.png cannot be read"):
        read_images(tmp_path, 10, REALS)
    (tmp_path / "broken.npz").write_bytes(b"PK no zip")
    with pytest.raises(UserError, match=r"broken\.npz cannot be read"):
        read_images(tmp_path / "broken.npz", 10, REALS)


def test_images_of_one_size_keep_it_others_get_that_of_the_reals(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.new("L", (12, 12), 9).save(tmp_path / f"{name}.png")
    assert read_images(tmp_path, 10, REALS)[0].shape == (2, 1, 12, 12)
    Image.new("RGB", (9, 7), (9, 9, 9)).save(tmp_path / "c.jpg")
    images, _ = read_images(tmp_path, 10, REALS)
    assert images.shape == (3, 1, 8, 8)
    assert (images - 9).abs().max() <= 1
    assert read_images(tmp_path, 10, ImageDataModule("x", channels=3))[0].shape[1] == 3


def test_labels_are_the_places_of_folders_among_the_classes_of_the_reals(tmp_path: Path) -> None:
    for digit in (3, 7):
        for i in range(20):
            (tmp_path / str(digit) / "more").mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), digit).save(tmp_path / str(digit) / "more" / f"{i}.png")
    images, labels = read_images(tmp_path, 30, REALS)
    assert labels is not None
    assert torch.equal(images[:, 0, 0, 0], labels)
    assert labels.unique().tolist() == [3, 7], "a random part, not the first class alone"
    own = ImageFolderDataModule(str(tmp_path), num_classes=2)
    images, labels = read_images(tmp_path, 40, own)
    assert labels is not None
    assert torch.equal(images[:, 0, 0, 0], 3 + 4 * labels)
    none = ImageFolderDataModule(str(tmp_path), num_classes=0)
    assert read_images(tmp_path, 40, none)[1] is None
    (tmp_path / "3").rename(tmp_path / "three")
    with pytest.raises(UserError, match="three is none of the classes: 0, 1, 2"):
        read_images(tmp_path, 30, REALS)


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x-ubyte"])
def test_every_file_that_data_reads(name: str, tmp_path: Path) -> None:
    images, file = IMAGES[:, 0].numpy(), tmp_path / name
    if name == "x.npz":
        np.savez(file, x_train=images / 255, y_train=LABELS.numpy(), x_test=images[:2])
    elif name == "x.npy":
        np.save(file, images)
    else:
        file.write_bytes(struct.pack(">IIII", 2051, *images.shape) + images.tobytes())
    found, labels = read_images(file, 5, REALS)
    assert torch.equal(found, IMAGES[:5])
    assert (labels is None) == (name != "x.npz")
    data = ArrayDataModule(str(file), num_classes=0, resolution=8)
    assert {image.numpy().tobytes() for image in data.load(train=True)[0]} <= {
        image.tobytes() for image in images
    }
