"""Samples on disk: a grid, a folder of PNGs, an NPZ file."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import MNIST

from gan_lightning.data.idx import read_idx
from gan_lightning.errors import UserError
from gan_lightning.sampling.idx_pair import check_idx
from gan_lightning.sampling.place import check_output, check_room, disk_needed, free_path
from gan_lightning.sampling.write import Chunks, write_samples
from tests.conftest import ROOT

LABELS = torch.tensor([3, 5, 3, 5, 3])


def chunks(channels: int = 1, labels: bool = True) -> Chunks:
    """Five images, 0 to 4 steps of grey, as a generator gives them: two chunks."""
    grey = torch.arange(5) / 127.5 - 1
    images = grey[:, None, None, None].expand(5, channels, 4, 6)
    yield images[:3], LABELS[:3] if labels else None
    yield images[3:], LABELS[3:] if labels else None


def test_npz(tmp_path: Path) -> None:
    write_samples(tmp_path / "new" / "x.npz", chunks(), 5)
    with np.load(tmp_path / "new" / "x.npz") as arrays:
        assert set(arrays) == {"images", "labels"}
        assert arrays["images"].dtype == np.uint8
        assert arrays["images"].shape == (5, 1, 4, 6)
        assert arrays["images"][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
        assert arrays["labels"].dtype == np.int64
        assert arrays["labels"].tolist() == LABELS.tolist()


def test_unconditional_npz_has_no_labels(tmp_path: Path) -> None:
    write_samples(tmp_path / "x.npz", chunks(labels=False), 5)
    assert np.load(tmp_path / "x.npz").files == ["images"]


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_torchvision_reads_the_idx_pair_as_mnist(tmp_path: Path, packed: str) -> None:
    raw = tmp_path / "MNIST" / "raw"
    for split in ("train", "t10k"):  # it asks for both
        write_samples(raw / f"{split}-images-idx3-ubyte{packed}", chunks(), 5)
    if packed:  # torchvision unpacks what it fetched itself
        for file in raw.glob("*.gz"):
            file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
    data = MNIST(tmp_path, train=False)
    assert data.data.shape == (5, 4, 6)
    assert data.data[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.targets.tolist() == LABELS.tolist()


def test_images_without_labels_are_one_idx_file(tmp_path: Path) -> None:
    write_samples(tmp_path / "x-images-idx3-ubyte", chunks(labels=False), 5)
    assert [file.name for file in tmp_path.iterdir()] == ["x-images-idx3-ubyte"]
    assert read_idx(tmp_path / "x-images-idx3-ubyte", 3)[:, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_labels_of_earlier_images_do_not_stay_beside_new_ones(tmp_path: Path) -> None:
    write_samples(tmp_path / "x-images-idx3-ubyte", chunks(), 5)
    write_samples(tmp_path / "x-images-idx3-ubyte", chunks(labels=False), 5)
    assert [file.name for file in tmp_path.iterdir()] == ["x-images-idx3-ubyte"]


@pytest.mark.parametrize(
    ("name", "shape", "labels", "words"),
    [
        ("x-labels-idx1-ubyte", (1, 28, 28), 10, "name it as MNIST's files are"),
        ("x-images-idx3-ubyte", (3, 28, 28), 10, "hold grey images: use .npz"),
        ("x-images-idx3-ubyte", (1, 28, 28), 300, "cannot tell 300 labels apart: use .npz"),
    ],
)
def test_what_does_not_fit_into_idx_files_is_said(
    name: str, shape: tuple[int, ...], labels: int, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_idx(Path(name), shape, labels)


@pytest.mark.parametrize("channels", [2, 4])
def test_channels_that_no_picture_has_stand_side_by_side(tmp_path: Path, channels: int) -> None:
    check_room(tmp_path / "x.png", 5, (channels, 4, 6), False)
    for name, width in (("x.png", 3 * (6 * channels + 2) + 2), ("x", 6 * channels)):
        write_samples(tmp_path / name, chunks(channels, labels=False), 5)
        path = tmp_path / name if name == "x.png" else tmp_path / name / "000004.png"
        assert (Image.open(path).mode, Image.open(path).width) == ("L", width)


def test_points_are_drawn_as_dots(tmp_path: Path) -> None:
    points = torch.tensor([[0.5, 0.5], [-0.5, 0.0]])[:, :, None, None]
    check_room(tmp_path / "x.png", 2, (2, 1, 1), False)
    write_samples(tmp_path / "x.png", iter([(points[:1], None), (points[1:], None)]), 2)
    picture = np.asarray(Image.open(tmp_path / "x.png")).astype(int)
    assert picture.shape == (400, 400, 3)
    red = (picture[:, :, 0] - picture[:, :, 2]) > 100
    assert red.sum() == 2 * 9
    assert red[100, 299], "x and y upward"
    assert red[200, 100]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_folder_has_a_png_a_sample(tmp_path: Path, channels: int, mode: str) -> None:
    write_samples(tmp_path / "x", chunks(channels), 5)
    files = sorted((tmp_path / "x").glob("*/*"), key=lambda file: file.name)
    assert [f"{f.parent.name}/{f.name}" for f in files] == [
        f"{y}/{i:06d}.png" for i, y in enumerate(LABELS)
    ]
    for grey, file in enumerate(files):
        image = Image.open(file)
        assert (image.mode, image.size) == (mode, (6, 4))
        assert np.unique(np.asarray(image)).tolist() == [grey]


def test_unconditional_folder_has_plain_numbers(tmp_path: Path) -> None:
    write_samples(tmp_path / "x", chunks(labels=False), 5)
    assert sorted(f.name for f in (tmp_path / "x").iterdir())[-1] == "000004.png"


def test_grid_holds_all_samples(tmp_path: Path) -> None:
    write_samples(tmp_path / "x.png", chunks(), 5)
    image = np.asarray(Image.open(tmp_path / "x.png"))
    assert image.shape[:2] == (2 * (4 + 2) + 2, 3 * (6 + 2) + 2)
    assert np.unique(image).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["x.png", "x.npz", "x", "x-images-idx3-ubyte"])
def test_a_place_that_is_taken_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    check_output(path, overwrite=False)
    write_samples(path, chunks(), 5)
    with pytest.raises(UserError, match=r"exists.*overwrite=true"):
        check_output(path, overwrite=False)
    check_output(path, overwrite=True)


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    check_output(tmp_path, overwrite=False)
    write_samples(tmp_path, chunks(), 5)
    assert len(list(tmp_path.glob("*/*.png"))) == 5


@pytest.mark.parametrize("name", ["x.jpg", "x.zip", "x.PNG.txt"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"\.png .*\.npz"):
        check_output(tmp_path / name, overwrite=True)


def test_free_path_numbers_what_is_taken(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = free_path(tmp_path / "grid.png")
        path.touch()
        names.append(path.name)
    assert names == ["grid.png", "grid-2.png", "grid-3.png"]


STREAM = """
import sys, torch
from pathlib import Path
from gan_lightning.sampling.write import write_samples
from tests.untrusted.memory import reset, used
count = 200_000
chunks = ((torch.rand(1, 1, 1, 1).expand(100, 1, 28, 28), torch.zeros(100, dtype=torch.int64))
          for _ in range(count // 100))
before = reset()
write_samples(Path(sys.argv[1]), chunks, count)
print(used() - before)
"""


def test_nothing_slow_is_imported() -> None:
    """`lightning` and `torchvision` cost seconds at every start of sample.py."""
    source = "import sys, gan_lightning.sampling.write; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"lightning", "pytorch_lightning", "torchvision"} & set(done.stdout.split())


@pytest.mark.fault(41)
def test_many_samples_stream_in_bounded_memory(tmp_path: Path) -> None:
    """157 MB of pixels; a list of them, as floats, would be 627."""
    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path / "x.npz")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 50 << 20
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["images"].shape == (200_000, 1, 28, 28)
        assert len(arrays["labels"]) == 200_000
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]


@pytest.mark.fault(41)
@pytest.mark.parametrize("name", ["x.npz", "x"])
def test_a_disk_that_is_too_small_is_said_first(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"10,000,000,000,000 samples need up to .* TB .* are free"):
        check_room(tmp_path / name, 10**13, (1, 28, 28), True)
    assert "784.0 kB of disk" in check_room(tmp_path / "x.npz", 1000, (1, 28, 28), False)


@pytest.mark.fault(41)
def test_a_grid_that_nobody_can_look_at(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"grid of 1,000,000,000 images would have 948,\d+ x 948,"):
        check_room(tmp_path / "x.png", 10**9, (1, 28, 28), False)
    check_room(tmp_path / "x.png", 10_000, (1, 28, 28), False)


@pytest.mark.parametrize("name", ["x.npz", "x.png", "x"])
@pytest.mark.parametrize("count", [1, 5])
def test_what_is_said_of_the_disk_is_enough(tmp_path: Path, name: str, count: int) -> None:
    noise = torch.rand(count, 1, 28, 28) * 2 - 1  # does not compress
    write_samples(tmp_path / name, iter([(noise, None)]), count)
    needed, files = disk_needed(tmp_path / "new" / name, count, (1, 28, 28), False)
    written = [p for p in (tmp_path / name).rglob("*") or [tmp_path / name] if p.is_file()]
    assert sum(p.stat().st_size for p in written) <= needed + 1000  # headers
    assert len(written) <= files


def test_a_million_names_sort_as_the_samples_do(tmp_path: Path) -> None:
    write_samples(tmp_path / "x", chunks(), 10**6 + 1)
    assert min(p.name for p in (tmp_path / "x").glob("*/*")) == "0000000.png"


def test_folders_of_many_labels_sort_as_the_labels_do(tmp_path: Path) -> None:
    write_samples(tmp_path / "x", chunks(), 5, num_classes=26)
    assert {p.name for p in (tmp_path / "x").iterdir()} == {f"{y:02d}" for y in LABELS}


def test_a_smaller_set_keeps_no_earlier_image(tmp_path: Path) -> None:
    (tmp_path / "x" / "7").mkdir(parents=True)
    for earlier in ("000009-3.png", "7/000009.png"):  # as older versions wrote them, and this one
        (tmp_path / "x" / earlier).touch()
    write_samples(tmp_path / "x", chunks(), 5)
    assert len(list((tmp_path / "x").glob("**/*.png"))) == 5


@pytest.mark.fault(45)
def test_a_link_that_leads_nowhere_is_something_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="exists"):
        check_output(tmp_path / "x.png", overwrite=False)


def test_too_few_samples_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="5 samples came, not 6"):
        write_samples(tmp_path / "x.npz", chunks(), 6)
    assert list(tmp_path.iterdir()) == []
