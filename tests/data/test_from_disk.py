"""Images and arrays of the user's own: read once, split, and refused with the file's name."""

import gzip
import re
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning.data import (
    ArrayDataModule,
    ImageFolderDataModule,
    count_labels,
    image_files,
)
from gan_lightning.data.npz import read_array
from gan_lightning.errors import UserError
from gan_lightning.sampling.write import write_samples


def save(path: Path, level: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode != "RGB" else (level, 0, 0)).save(path)


def class_folders(root: Path, each: int = 10, names: str = "ab") -> Path:
    for number, name in enumerate(names):
        for i in range(each):
            save(root / name / f"{i}.png", 100 * number + i)
    return root


def folder(root: Path, **arguments: Any) -> ImageFolderDataModule:
    arguments = {"num_classes": count_labels(str(root)), "resolution": 28} | arguments
    data = ImageFolderDataModule(str(root), name="mine", **arguments)
    data.prepare_data()
    data.setup()
    return data


def array(path: Path, labels: Path | None = None, **arguments: Any) -> ArrayDataModule:
    found = str(labels) if labels else None
    arguments = {"num_classes": count_labels(str(path), found), "resolution": 28} | arguments
    data = ArrayDataModule(str(path), found, name="mine", **arguments)
    data.prepare_data()
    data.setup()
    return data


def npz(tmp_path: Path, **arrays: Any) -> Path:
    np.savez(tmp_path / "x.npz", **arrays)
    return tmp_path / "x.npz"


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_labels_are_the_folders_in_order(tmp_path: Path) -> None:
    data = folder(class_folders(tmp_path))
    images, labels = data.load(train=True)
    assert (data.num_classes, len(images), len(data.load(train=False)[0])) == (2, 18, 2)
    assert images.shape == (18, 1, 28, 28)
    levels = images.flatten(1).float().mean(1)
    assert torch.equal(levels >= 100, labels == 1)


def test_the_split_covers_every_image_once_whatever_the_seed(tmp_path: Path) -> None:
    class_folders(tmp_path)
    held_out = [folder(tmp_path, seed=seed).load(train=False)[0] for seed in (0, 1)]
    assert torch.equal(*held_out)
    levels = torch.cat([folder(tmp_path).load(train=t)[0][:, 0, 0, 0] for t in (True, False)])
    assert sorted(levels.tolist()) == [*range(10), *range(100, 110)]


def test_train_and_test_folders_are_the_splits(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    save(tmp_path / "test" / "b" / "x.png", 255)
    data = folder(tmp_path)
    assert len(data.images) == 20
    assert data.split(train=False).labels.tolist() == [1]


def test_without_folders_there_are_no_labels(tmp_path: Path) -> None:
    for i in range(10):
        save(tmp_path / f"{i}.jpg", i)
    data = folder(tmp_path)
    assert (data.num_classes, data.classes, len(data.images)) == (0, [], 9)


def test_images_are_cut_to_their_centre_and_resized(tmp_path: Path) -> None:
    wide = np.zeros((40, 80, 3), dtype=np.uint8)
    wide[:, 20:60] = (10, 200, 30)
    for i in range(2):
        Image.fromarray(wide).save(tmp_path / f"{i}.png")
    data = folder(tmp_path, channels=3, resolution=32)
    assert data.images.images.shape == (1, 3, 32, 32)
    colour = torch.tensor([10, 200, 30])[:, None, None]
    assert (data.images.images[0].int() - colour).abs().max() <= 5, "none of the black sides"
    assert folder(tmp_path, channels=1).images.images.unique().numel() == 1


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    for i, level in enumerate((257 * 100, 257 * 100)):
        grey = np.full((8, 8), level, dtype=np.uint16)
        Image.fromarray(grey).save(tmp_path / f"{i}.png")
    assert folder(tmp_path).images.images.unique().tolist() == [100]


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_turned_images_are_turned_back(ending: str, tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: what is at the top belongs to the right
    for i in range(2):
        Image.fromarray(pixels).save(tmp_path / f"{i}.{ending}", exif=exif)
    image = folder(tmp_path, resolution=16).images.images[0, 0].float()
    assert image[:, 12:].mean() > 190
    assert image[:, :4].mean() < 10


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "RGB", "L", "I;16"])
def test_every_mode_is_read(mode: str, tmp_path: Path) -> None:
    grey = Image.new("L", (8, 8), 255)
    ending = "tif" if mode == "CMYK" else "png"
    for i in range(2):
        made = Image.fromarray(np.full((8, 8), 65535, np.uint16)) if ";" in mode else None
        (made or grey.convert("RGB").convert(mode)).save(tmp_path / f"{i}.{ending}")
    for channels in (1, 3):
        assert folder(tmp_path, channels=channels).images.images.unique().tolist() == [255]


def test_bad_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none is no folder"):
        folder(tmp_path / "none")
    with pytest.raises(UserError, match=f"no images are in {tmp_path}"):
        folder(tmp_path)
    class_folders(tmp_path)
    with pytest.raises(UserError, match=r"label 1, but data\.num_classes=1 "):
        folder(tmp_path, num_classes=1)
    with pytest.raises(UserError, match=r"data\.channels=2 must be 1"):
        folder(tmp_path, channels=2)
    (tmp_path / "b" / "broken.png").write_bytes((tmp_path / "b" / "1.png").read_bytes()[:50])
    with pytest.raises(UserError, match=r"b/broken\.png cannot be read as an image"):
        folder(tmp_path)
    (tmp_path / "b" / "broken.png").unlink()
    save(tmp_path / "loose.png", 1)
    with pytest.raises(UserError, match=r"loose\.png stands beside folders"):
        folder(tmp_path)


def test_images_are_found_at_any_depth(tmp_path: Path) -> None:
    """As torchvision's ImageFolder does; they were left out without a word."""
    class_folders(tmp_path, each=2)
    save(tmp_path / "b" / "more" / "deep" / "x.PNG", 120)
    save(tmp_path / "c" / "only" / "y.png", 200)
    save(tmp_path / "c" / ".hidden" / "z.png", 0)
    data = folder(tmp_path, test_fraction=0.01)
    images, labels = (torch.cat(part) for part in zip(*map(data.load, (True, False)), strict=True))
    levels = {(int(y), int(image.max())) for y, image in zip(labels, images, strict=True)}
    assert levels == {(0, 0), (0, 1), (1, 100), (1, 101), (1, 120), (2, 200)}
    assert data.num_classes == 3
    assert data.class_names() == ["a", "b", "c"]


def transparent(path: Path, mode: str) -> None:
    """A grey image of 100 whose left half is transparent, and black below that."""
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, 4:] = (100, 100, 100, 255)
    image = Image.fromarray(pixels)
    if mode == "P":
        image.quantize(4).save(path)
    elif mode == "tRNS":
        image.convert("L").save(path, transparency=0)
    else:
        image.convert(mode).save(path)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "tRNS"])
@pytest.mark.parametrize(("background", "level"), [("black", 0), ("white", 255)])
def test_transparent_images_are_put_on_a_background(
    mode: str, background: str, level: int, tmp_path: Path
) -> None:
    for i in range(3):
        transparent(tmp_path / f"{i}.png", mode)
    save(tmp_path / "opaque.png", 7)
    data = folder(tmp_path, background=background, resolution=8)
    found = torch.cat([data.load(train=t)[0] for t in (True, False)])
    assert sorted(found[:, 0, 0, 0].tolist()) == sorted([7, *[level] * 3])
    assert sorted(found[:, 0, 0, 7].tolist()) == [7, 100, 100, 100]
    said = f"3 images in {tmp_path} have transparent parts, which become {background}: data.back"
    assert data.remark.startswith(said)


def test_images_that_could_be_transparent_and_are_not(tmp_path: Path) -> None:
    for i in range(2):
        Image.new("RGBA", (8, 8), (50, 50, 50, 255)).save(tmp_path / f"{i}.png")
    data = folder(tmp_path)
    assert (data.images.images.unique().tolist(), data.remark) == ([50], "")
    with pytest.raises(ValueError, match="background=pink must be one of black, white"):
        folder(tmp_path, background="pink")


def test_many_files_are_read_in_order_by_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_files, "THREADS", 4)
    monkeypatch.setattr(image_files, "CHUNK", 3)
    for i in range(50):
        save(tmp_path / f"{i:02d}.png", i)
    images, _ = image_files.read_files(list(image_files.find_images(tmp_path)), 1, 8, "black")
    assert images[:, 0, 0, 0].tolist() == [*range(50)]
    (tmp_path / "07.png").write_bytes(b"none")
    with pytest.raises(UserError, match=r"07\.png cannot be read as an image"):
        image_files.read_files(list(image_files.find_images(tmp_path)), 1, 8, "black")


def test_a_folder_is_read_once(tmp_path: Path) -> None:
    data = folder(class_folders(tmp_path))
    shutil.rmtree(tmp_path)
    assert [len(data.split(train)) for train in (True, False)] == [18, 2]


def test_no_other_program_is_started_for_an_image(tmp_path: Path) -> None:
    """Pillow would hand PostScript to Ghostscript, whatever the file's name."""
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n")
    with pytest.raises(UserError, match=r"x\.png cannot be read as an image"):
        folder(tmp_path)


def test_a_test_class_that_was_never_trained_on(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test", names="c")
    with pytest.raises(UserError, match="test/c is none of the classes: a, b"):
        folder(tmp_path)


@pytest.mark.parametrize("shape", [(20, 28, 28), (20, 1, 28, 28), (20, 28, 28, 1), (20, 40, 28)])
def test_arrays_of_every_layout(shape: tuple[int, ...], tmp_path: Path) -> None:
    images = pixels(*shape)
    data = array(npz(tmp_path, images=images, labels=np.arange(20) % 3))
    assert data.num_classes == 3
    assert data.images.images.shape == (18, 1, 28, 28)
    if shape == (20, 28, 28):
        whole = torch.cat([data.load(train=t)[0] for t in (True, False)]).sum((1, 2, 3))
        assert sorted(whole.tolist()) == sorted(images.sum((1, 2)).tolist())


def test_colour_arrays(tmp_path: Path) -> None:
    images = pixels(4, 28, 28, 3)
    data = array(npz(tmp_path, images=images), channels=3, test_fraction=0.5)
    first = [image.permute(1, 2, 0).numpy() for image in data.images.images]
    assert any(np.array_equal(first[0], image) for image in images)


def test_arrays_may_bring_their_test_split(tmp_path: Path) -> None:
    arrays = {"images": pixels(5, 28, 28), "test_images": pixels(3, 28, 28)}
    data = array(npz(tmp_path, **arrays))
    assert (len(data.images), len(data.split(train=False))) == (5, 3)


def test_what_sample_py_writes_is_a_data_set(tmp_path: Path) -> None:
    images, labels = torch.rand(40, 1, 28, 28) * 2 - 1, torch.arange(40) % 10
    write_samples(tmp_path / "drawn.npz", iter([(images, labels)]), 40)
    data = array(tmp_path / "drawn.npz")
    assert data.num_classes == 10
    assert len(data.images) == 36


@pytest.mark.parametrize("shape", [(3, 20, 28), (2, 1024, 1024)])
def test_arrays_kept_column_after_column_and_large_ones_are_read(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    images = pixels(*shape)
    np.savez(tmp_path / "x.npz", images=np.asfortranarray(images))
    assert np.array_equal(read_array(tmp_path / "x.npz", "images", True), images)


NAMES = {
    "Keras": ("x_train", "y_train", "x_test", "y_test"),
    "MedMNIST": ("train_images", "train_labels", "test_images", "test_labels"),
    "upper case": ("X", "y", "X_test", "y_test"),
    "data": ("data", "labels"),
    "np.savez": ("arr_0", "arr_1"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_that_people_use(names: tuple[str, ...], tmp_path: Path) -> None:
    images, labels = pixels(20, 28, 28), np.arange(20) % 4
    parts = (images, labels[:, None] if "train_labels" in names else labels, images[:3], labels[:3])
    data = array(npz(tmp_path, **dict(zip(names, parts, strict=False))))
    assert data.num_classes == 4
    assert len(data.load(train=False)[0]) == (3 if len(names) == 4 else 2)
    found = torch.cat([data.load(train=t)[0] for t in (True, False)])
    assert {image.tobytes() for image in images} == {image.numpy().tobytes() for image in found}
    if len(names) == 4:
        assert torch.equal(data.images.images[:, 0], torch.from_numpy(images))
        assert data.images.labels.tolist() == labels.tolist()
        assert data.load(train=False)[1].tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(20, 28, 28), (20, 28, 28, 3)])
def test_npy_files(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels(*shape))
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    data = array(tmp_path / "x.npy", tmp_path / "y.npy", channels=3 if len(shape) == 4 else 1)
    assert (data.num_classes, len(data.images)) == (2, 18)
    assert array(tmp_path / "x.npy").num_classes == 0


def test_nothing_is_unpickled_from_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    with pytest.raises(UserError, match=r"x\.npy cannot be read: it must be uint8.*object"):
        array(tmp_path / "x.npy")
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UserError, match=r"x\.npy cannot be read"):
        array(tmp_path / "x.npy")


def test_kinds_that_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.mat").touch()
    with pytest.raises(UserError, match=r"x\.mat: arrays are read from \.npz, \.npy and IDX"):
        array(tmp_path / "x.mat")
    with pytest.raises(UserError, match="for a folder of images: data=image_folder"):
        array(tmp_path)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize(("scale", "shift"), [(255, 0), (127.5, 1)])
def test_floats_whose_range_is_certain(
    kind: Any, scale: float, shift: float, tmp_path: Path
) -> None:
    images = pixels(20, 28, 28)
    np.save(tmp_path / "x.npy", (images / scale - shift).astype(kind))
    data = array(tmp_path / "x.npy")
    found = torch.cat([data.load(train=t)[0] for t in (True, False)])
    assert {image.tobytes() for image in images} == {image.numpy().tobytes() for image in found}


FLOATS = {
    "0 to 255": (pixels(5, 28, 28).astype(np.float32), "images.round()"),
    "0 and 1": ((pixels(5, 28, 28) > 99).astype(np.float32), "255 * images"),
    "normal": (
        np.random.default_rng(0).normal(size=(5, 28, 28)),
        "255 * (images - images.min()) / np.ptp(images)",
    ),
    "NaN": (np.full((5, 28, 28), np.nan), "may mean anything"),
}


@pytest.mark.parametrize(("images", "line"), FLOATS.values(), ids=FLOATS)
def test_other_floats_get_the_line_that_converts_them(
    images: np.ndarray, line: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=re.escape(line)):
        array(npz(tmp_path, images=images))
    if line != "may mean anything":
        converted = eval(f"np.uint8({line})", {"np": np, "images": images})
        assert len(array(npz(tmp_path, images=converted)).images) == 4
        assert converted.max() > 250


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"images": np.zeros((5, 28, 28), dtype=np.int64)}, "must be uint8.*int64"),
        ({"images": pixels(5, 28)}, r"must be \[N, H, W\].*uint8 \[5, 28\]"),
        ({"images": pixels(0, 28, 28)}, "at least one"),
        ({"images": pixels(1, 28, 28)}, "too few images"),
        ({"pictures": pixels(5, 28, 28)}, "has no array `images`.* its arrays: pictures"),
        ({"images": pixels(5, 28, 28), "labels": np.arange(4)}, "5 images but 4 labels"),
        ({"images": pixels(5, 28, 28), "labels": np.ones(5)}, "must be whole numbers.*float64"),
        ({"images": pixels(5, 28, 28), "labels": np.array([0, 1, 2, -1, 0])}, "has the label -1"),
        (
            {"images": pixels(5, 28, 28), "labels": np.array([10**9] * 5)},
            "more than 10,000",
        ),
        ({"images": np.array([{}], dtype=object)}, "must be uint8.*object"),
    ],
)
def test_bad_arrays_are_said(arrays: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=complaint):
        array(npz(tmp_path, **arrays))


def test_a_label_out_of_range_is_named(tmp_path: Path) -> None:
    path = npz(tmp_path, images=pixels(20, 28, 28), labels=np.full(20, 200))
    with pytest.raises(UserError, match=r"x\.npz has the label 200, but data\.num_classes=10"):
        array(path, num_classes=10)
    without = npz(tmp_path, images=pixels(20, 28, 28))
    with pytest.raises(UserError, match=r"num_classes=10, but .* has no labels"):
        array(without, num_classes=10)


def idx(path: Path, *shape: int, values: bytes = b"") -> Path:
    content = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    content += values or pixels(*shape).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files(ending: str, tmp_path: Path) -> None:
    images = idx(tmp_path / f"x-idx3-ubyte{ending}", 20, 28, 28)
    labels = idx(tmp_path / f"y-idx1-ubyte{ending}", 20, values=bytes([0, 1, 2, 3] * 5))
    data = array(images, labels)
    assert (data.num_classes, len(data.images)) == (4, 18)
    assert array(images).num_classes == 0


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x00\x00\x08", b"<html>" * 99, b"\x00\x00\x0d\x03" + bytes(99), None],
    ids=["empty", "head cut", "html", "floats", "truncated"],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_corrupt_idx_files_are_named(damage: bytes | None, ending: str, tmp_path: Path) -> None:
    path = idx(tmp_path / f"x-idx3-ubyte{ending}", 20, 28, 28)
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    with pytest.raises(UserError, match=f"corrupt IDX file: {path}"):
        array(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root=.*none\.npz is no file"):
        array(tmp_path / "none.npz")
    with pytest.raises(UserError, match="none: No such file"):
        array(idx(tmp_path / "x", 5, 28, 28), tmp_path / "none")
