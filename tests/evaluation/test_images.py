"""Images from elsewhere: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning.errors import UserError
from gan_lightning.evaluation.images import read_images
from gan_lightning.sampling.write import write_samples

IMAGES = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
LABELS = torch.tensor([3, 1, 4, 1, 5, 9])


@pytest.mark.parametrize("name", ["digits.npz", "digits"])
def test_what_sample_writes_is_read_back(name: str, tmp_path: Path) -> None:
    chunks = [(IMAGES[:4] / 127.5 - 1, LABELS[:4]), (IMAGES[4:] / 127.5 - 1, LABELS[4:])]
    write_samples(tmp_path / name, iter(chunks), 6)
    images, labels = read_images(tmp_path / name, 100)
    assert labels is not None
    assert torch.equal(images, IMAGES)
    assert torch.equal(labels, LABELS)
    assert len(read_images(tmp_path / name, 2)[0]) == 2


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_channels_first_or_last(axes: tuple[int, ...], tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=colour.transpose(axes))
    images, labels = read_images(tmp_path / "x.npz", 100)
    assert (images.numpy() == colour).all()
    assert labels is None


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"pictures": IMAGES.numpy()}, "array `images`"),
        ({"images": IMAGES.float().numpy()}, "uint8"),
        ({"images": IMAGES[:0].numpy()}, "at least one"),
        ({"images": IMAGES[0, 0].numpy()}, "must be uint8 \\[N, H, W\\]"),
        ({"images": np.array([{}], dtype=object)}, "must be uint8"),
        ({"images": IMAGES.numpy(), "labels": LABELS[:2].numpy()}, "6 images but 2 labels"),
    ],
)
def test_bad_files(arrays: dict, complaint: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=complaint):
        read_images(tmp_path / "x.npz", 100)


def test_bad_places(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path / "x.tar"):
        with pytest.raises(UserError, match="exists"):
            read_images(path, 10)
    with pytest.raises(UserError, match="no PNG"):
        read_images(tmp_path, 10)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="images="):
        read_images(tmp_path, 10)
    (tmp_path / "broken.npz").write_bytes(b"PK no zip")
    with pytest.raises(UserError, match="no NPZ"):
        read_images(tmp_path / "broken.npz", 10)


def test_pngs_of_different_sizes(tmp_path: Path) -> None:
    for size in (8, 9):
        Image.new("L", (size, size)).save(tmp_path / f"{size}.png")
    with pytest.raises(UserError, match="different sizes"):
        read_images(tmp_path, 10)
