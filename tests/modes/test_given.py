"""Images that a user names, and what is wrong with some."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_lightning.errors import UserError
from gan_lightning.modes.given import read_given

SHAPE = (1, 28, 28)


def saved(path: Path, mode: str = "L", size: tuple[int, int] = (28, 28)) -> Path:
    Image.new(mode, size, 200 if mode == "L" else (200, 0, 0)).save(path)
    return path


def test_a_file_a_folder_and_arrays_are_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.png", "a.png"):
        saved(tmp_path / "in" / name)
    np.savez(tmp_path / "x.npz", images=np.full((3, 28, 28), 9, np.uint8), labels=[1, 2, 3])
    one = read_given(tmp_path / "in" / "a.png", SHAPE, False, "invert")
    assert (one.images == 200).all()
    assert one.images.shape == (1, *SHAPE)
    assert read_given(tmp_path / "in", SHAPE, False, "invert").names == ["a.png", "b.png"]
    arrays = read_given(tmp_path / "x.npz", SHAPE, False, "invert")
    assert (arrays.images == 9).all()
    assert arrays.labels is not None
    assert arrays.labels.tolist() == [1, 2, 3]


def test_another_size_or_colour_is_brought_there_if_asked(tmp_path: Path) -> None:
    file = saved(tmp_path / "x.png", "RGB", (100, 80))
    with pytest.raises(UserError, match=r"is 100x80 RGB.*28x28 grey: mode.fit=true"):
        read_given(file, SHAPE, False, "invert")
    assert read_given(file, SHAPE, True, "invert").images.shape == (1, *SHAPE)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.png", b"no picture", "cannot be read as an image"),
        ("x.npz", b"no arrays", "x.npz"),
        ("x", None, "no images are in it"),
        ("gone.png", "", "no such file"),
    ],
)
def test_what_is_no_image_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | str | None, words: str
) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        read_given(path, SHAPE, False, "invert")


def test_arrays_of_another_shape_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(UserError, match="its images are 1x8x8, the generator's are 1x28x28"):
        read_given(tmp_path / "x.npz", SHAPE, True, "invert")
    with pytest.raises(UserError, match="mode=judge needs image="):
        read_given(None, SHAPE, True, "judge")
