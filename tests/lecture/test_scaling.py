"""Pixels before and after, and the slopes of what a generator can end in."""

from pathlib import Path

import pytest
import torch

from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.scaling import slope


def test_slopes_are_the_derivatives() -> None:
    at = torch.tensor([-1.0, 0.0, 2.0])
    assert torch.allclose(slope(torch.tanh, at), 1 - at.tanh() ** 2)
    assert torch.allclose(slope(torch.sigmoid, at), at.sigmoid() * (1 - at.sigmoid()))


def test_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["scaling", "--picture", str(tmp_path / "x.png")])
    said = capsys.readouterr().out
    assert "tanh 1.00, sigmoid 0.25; 256 of 256 pixels come back" in said
    assert (tmp_path / "x.png").stat().st_size > 5000
