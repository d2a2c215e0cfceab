"""Each ending of an output: a strip, an animation, arrays, rows, a folder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning.modes.sheet import Sheet, write_sheet

IMAGES = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 1, 4, 4).unflatten(0, (2, 3))
SHEET = Sheet(IMAGES, "", torch.zeros(2, 3, 5), torch.arange(6).unflatten(0, (2, 3)))


def test_a_strip_has_a_row_for_each_row(tmp_path: Path) -> None:
    write_sheet(tmp_path / "new" / "x.png", SHEET)
    with Image.open(tmp_path / "new" / "x.png") as image:
        assert image.size == (3 * 6 + 2, 2 * 6 + 2)


@pytest.mark.parametrize("name", ["x.gif", "x.webp"])
def test_an_animation_has_a_frame_for_each_column(tmp_path: Path, name: str) -> None:
    write_sheet(tmp_path / name, SHEET)
    with Image.open(tmp_path / name) as image:
        assert image.n_frames == 3  # type: ignore[attr-defined]
        assert min(image.size) >= 112
        found = []
        for frame in range(3):
            image.seek(frame)
            found.append(np.asarray(image.convert("L")).max())
    assert found == sorted(set(found))


def test_arrays_have_all(tmp_path: Path) -> None:
    write_sheet(tmp_path / "x.npz", SHEET)
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["images"].shape == (6, 1, 4, 4)
        assert arrays["images"][:, 0, 0, 0].tolist() == [0, 51, 102, 153, 204, 255]
        assert arrays["labels"].tolist() == [*range(6)]
        assert arrays["latents"].shape == (6, 5)
        assert set(arrays.files) == {"images", "labels", "latents"}


def test_a_folder_has_a_file_for_each(tmp_path: Path) -> None:
    write_sheet(tmp_path / "x", SHEET)
    assert len(list((tmp_path / "x").glob("00?-00?.png"))) == 6
