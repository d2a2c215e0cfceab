"""The lecture's students: the same each time, correlated, and never over another file."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.marks import marks

DIGEST = "5512b9a1d1232713b82f57c23e9dfd246e5d2ece34c17c338c6a0af4277a2da8"


def test_marks_are_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    main(["marks"])
    lines = Path("marks.csv").read_text().splitlines()
    assert (lines[0], len(lines)) == ("physics,maths,y", 501)
    assert [tuple(line.split(",")) for line in lines[1:]] == marks(500, 0)
    assert marks(5, 0) != marks(5, 1)
    digest = hashlib.sha256(Path("marks.csv").read_bytes()).hexdigest()
    assert digest == DIGEST


def test_marks_go_together_and_tell_easy_from_hard() -> None:
    students = marks(20_000, 3)
    points = np.array([(float(a), float(b)) for a, b, _ in students])
    easy = np.array([y == "easy" for *_, y in students])
    assert (points.min(), points.max()) >= (0, 0)
    assert points.max() <= 100
    assert easy.mean() == pytest.approx(0.5, abs=0.02)
    assert points[easy].mean(0) == pytest.approx([72, 75], abs=0.5)
    assert points[~easy].mean(0) == pytest.approx([54, 50], abs=0.5)
    assert np.corrcoef(points[easy].T)[0, 1] == pytest.approx(0.7, abs=0.02)
    assert np.corrcoef(points[~easy].T)[0, 1] == pytest.approx(0.8, abs=0.02)


def test_nothing_is_overwritten_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    with pytest.raises(SystemExit) as end:
        main(["marks", "--output", str(file), "--rows", "3"])
    assert end.value.code == 2
    assert f"{file} exists: choose another by --output" in capsys.readouterr().err
    assert file.read_text() == "mine"
    main(["marks", "--output", str(file), "--rows", "3", "--overwrite"])
    assert len(file.read_text().splitlines()) == 4


def test_a_file_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["marks", "--output", str(tmp_path / "no" / "x.csv")])
    assert end.value.code == 2
    assert "x.csv cannot be written" in capsys.readouterr().err
