"""The report at the end of a run: whatever the ending, and never in its way."""

import json
from pathlib import Path

import pytest

from gan_lightning.report import page
from tests.conftest import Command

SMALL = ("data=digits", "debug=fast", "callbacks.progress_bar=null", "hydra.run.dir=new")
SIGNAL = "+callbacks.signal={_target_: tests.faults.bad.SignalAt, images_seen: %d, number: %d}"


def test_a_run_that_is_stopped_has_its_report(command: Command) -> None:
    assert command(*SMALL, SIGNAL % (40, 15)).status == 143
    text = (Path("new") / "report.html").read_text()
    assert "ended by a signal" in text
    assert "48" in text
    assert (Path("new") / "samples.gif").exists()


def test_a_run_that_fails_has_its_report(command: Command) -> None:
    assert command(*SMALL, "optimizer.lr=1e30").status == 1
    assert "failed: " in (Path("new") / "report.html").read_text()


def test_what_fails_in_the_report_is_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, __: object) -> None:
        raise MemoryError("of\npages [bold]")

    monkeypatch.setattr(page, "render", fail)
    ended = command(*SMALL)
    assert ended.status == 0
    (line,) = [line for line in ended.out.splitlines() if "WARNING" in line]
    assert line == "WARNING: no report: MemoryError: of pages [bold]"
    assert json.loads((Path("new") / "run.json").read_text())["sessions"][-1]["status"] == 0
    assert not (Path("new") / "report.html").exists()


def test_it_can_be_turned_off(command: Command) -> None:
    assert command(*SMALL, "callbacks.report=null").status == 0
    assert not (Path("new") / "report.html").exists()


def test_the_floors_are_the_scores_of_held_out_reals(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_CACHE_DIR", str(tmp_path / "cache"))
    scores = (
        "callbacks.scores={_target_: gan_lightning.callbacks.LiveScores, num_samples: 60, "
        "neighbours: 50, every_n_epochs: 1}"
    )
    assert command(*SMALL, scores).status == 0
    record = json.loads((Path("new") / "floors.json").read_text())
    assert record["reals"] == record["num_samples"] == 60
    assert 0 < record["scores"]["fid"] < 40  # an untrained generator has hundreds
    assert record["scores"]["precision"] > 0.5
    assert "reals (floor)" in (Path("new") / "report.html").read_text()
