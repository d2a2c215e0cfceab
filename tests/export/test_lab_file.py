"""Recordings of strangers: whole, or one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lightning.errors import UserError
from gan_lightning.export.lab_file import Arrays, read_lab, save_lab, scaled
from gan_lightning.page.library import SHIPPED

ABOUT: dict[str, Any] = {"version": 1, "kind": "points", "title": "t", "data": "ring"}


def points() -> Arrays:
    t, n, s = 3, 5, 8
    arrays: Arrays = {name: np.zeros(t, np.float32) for name in scales()}
    arrays |= {name: np.zeros((t, n, 2), np.int8) for name in ("moves", "pulls")}
    return arrays | {
        "seen": np.arange(t),
        "losses": np.zeros((t, 3, 2), np.float32),
        "means": np.zeros((t, 3, 2), np.float32),
        "field": np.zeros((t, s, s), np.uint8),
        "change": np.zeros((t, s // 2, s // 2), np.int8),
        "fakes": np.zeros((t, n, 2), np.int16),
        "reals": np.zeros((n, 2), np.int16),
    }


def scales() -> list[str]:
    return ["change_scale", "moves_scale", "pulls_scale"]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    save_lab(tmp_path / "lab.npz", ABOUT, points())
    about, arrays = read_lab(tmp_path / "lab.npz")
    assert about == ABOUT
    assert arrays.keys() == points().keys()


def test_scaled_keeps_the_largest_and_the_rest_within_a_step() -> None:
    values = np.array([-3.0, 0.5, 2.0])
    whole, most = scaled(values)
    assert most == 3
    assert np.abs(whole * (most / 127) - values).max() <= 3 / 127 / 2 + 1e-6
    assert scaled(np.zeros(2))[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    "change",
    [
        {"seen": np.arange(2)},
        {"seen": np.arange(0)},
        {"losses": np.zeros((3, 2, 2), np.float32)},
        {"field": np.zeros((3, 8, 7), np.uint8)},
        {"field": np.zeros((3, 8, 8), np.float32)},
        {"fakes": np.zeros((3, 4, 2), np.int16)},
        {"reals": np.zeros((5, 3), np.int16)},
        {"reals": np.array([None])},
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, change: Arrays) -> None:
    save_lab(tmp_path / "lab.npz", ABOUT, points() | change)
    with pytest.raises(UserError, match=r"lab\.npz is not a recording"):
        read_lab(tmp_path / "lab.npz")


@pytest.mark.parametrize(
    "about",
    [
        ABOUT | {"version": 2},
        ABOUT | {"kind": "sounds"},
        ABOUT | {"title": 3},
        ABOUT | {"kind": "images"},
    ],
)
def test_what_is_no_recording_of_ours_is_refused(tmp_path: Path, about: dict[str, Any]) -> None:
    save_lab(tmp_path / "lab.npz", about, points())
    with pytest.raises(UserError, match="not a recording"):
        read_lab(tmp_path / "lab.npz")


def test_a_cut_or_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.npz"
    save_lab(path, ABOUT, points() | {"more": np.zeros(40 << 20, np.uint8)})
    with pytest.raises(UserError, match="unpacks to more"):
        read_lab(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="not a recording"):
        read_lab(path)


def test_the_shipped_ones_are_small_and_can_be_read() -> None:
    files = sorted(SHIPPED.glob("*.npz"))
    assert [read_lab(file)[0]["kind"] for file in files] == ["points"] * 4 + ["images"]
    assert sum(file.stat().st_size for file in files) < 700_000
