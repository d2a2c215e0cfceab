"""Curves on the images_seen axis, in CSV and TensorBoard."""

import csv
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gan_lightning.loggers import MetricsCSV, TensorBoard

CURVES = {"loss/D", "loss/G", "D(real)", "D(fake)", "penalty", "images/s"}
CURVES |= {"grad_norm/D", "grad_norm/G", "lr/D", "lr/G"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    return accumulator.Reload()


@pytest.fixture
def log(tmp_path: Path) -> MetricsCSV:
    log = MetricsCSV(str(tmp_path))
    log.log_metrics({"loss/D": 1.5}, step=100)
    log.log_metrics({"loss/D": 1.25}, step=200)
    return log


def test_csv_has_a_row_a_point(log: MetricsCSV) -> None:
    assert rows(log.path) == [
        {"images_seen": "100", "loss/D": "1.5"},
        {"images_seen": "200", "loss/D": "1.25"},
    ]
    assert log.column("loss/D") == [1.5, 1.25]


def test_csv_takes_a_new_metric_as_a_new_column(log: MetricsCSV) -> None:
    log.log_metrics({"score": 0.5}, step=200)
    log.log_metrics({"loss/D": 1.0, "score": 0.25}, step=300)
    assert [row["loss/D"] for row in rows(log.path)] == ["1.5", "1.25", "", "1.0"]
    assert log.column("score") == [0.5, 0.25]
    assert log.column("never logged") == []


def test_resumed_csv_keeps_what_came_before_and_drops_what_is_measured_again(
    log: MetricsCSV,
) -> None:
    resumed = MetricsCSV(log.save_dir)
    resumed.resume(images_seen=100)
    resumed.log_metrics({"loss/D": 9.0, "score": 1.0}, step=200)
    assert [(row["images_seen"], row["loss/D"]) for row in rows(log.path)] == [
        ("100", "1.5"),
        ("200", "9.0"),
    ]
    assert resumed.column("score") == [1.0]


def test_resumed_csv_may_be_missing(tmp_path: Path) -> None:
    log = MetricsCSV(str(tmp_path))
    log.resume(images_seen=100)
    log.log_metrics({"loss/D": 1.0}, step=200)
    assert len(rows(log.path)) == 1


@pytest.mark.parametrize("kept", [0, 4, 20, 40])
def test_resumed_csv_drops_half_a_row(kept: int, tmp_path: Path) -> None:
    """A power cut leaves any number of bytes; half a number would pass for another one."""
    log = MetricsCSV(str(tmp_path))
    for step in (1000, 2000):
        log.log_metrics({"loss/D": step / 2}, step=step)
    whole = log.path.read_bytes()
    assert whole.count(b"\n") == 3
    log.path.write_bytes(whole[:kept])
    resumed = MetricsCSV(str(tmp_path))
    resumed.resume(images_seen=2000)
    resumed.log_metrics({"loss/D": 1.5}, step=3000)
    left = [["1000", "500.0"]] if kept == 40 else []
    assert [list(row.values()) for row in rows(log.path)] == [*left, ["3000", "1.5"]]


def test_resumed_tensorboard_hides_what_is_measured_again(tmp_path: Path) -> None:
    first = TensorBoard(str(tmp_path))
    for step in (100, 200, 300):
        first.log_metrics({"loss/D": float(step)}, step=step)
    first.finalize("success")
    time.sleep(1.1)  # files are read in the order of their names, which have whole seconds
    second = TensorBoard(str(tmp_path))
    second.resume(images_seen=200)
    second.log_metrics({"loss/D": -300.0}, step=300)
    second.finalize("success")
    values = [(e.step, e.value) for e in events(tmp_path).Scalars("loss/D")]
    assert values == [(100, 100.0), (200, 200.0), (300, -300.0)]


def test_a_run_writes_straight_into_its_folder(run_folder: Path) -> None:
    assert len(list(run_folder.glob("events.out.tfevents.*"))) == 1
    assert not [p for p in run_folder.rglob("*") if "version" in p.name or p.name == "hparams.yaml"]


def test_a_runs_curves_are_on_the_images_seen_axis(run_folder: Path) -> None:
    """Two epochs of four batches of eight images, a point a batch."""
    accumulator = events(run_folder)
    assert set(accumulator.Tags()["scalars"]) >= CURVES
    for tag in CURVES:
        assert [e.step for e in accumulator.Scalars(tag)] == list(range(8, 65, 8))


def test_a_runs_csv_says_the_same_as_tensorboard(run_folder: Path) -> None:
    log, accumulator = MetricsCSV(str(run_folder)), events(run_folder)
    for tag in CURVES:
        curve = [e.value for e in accumulator.Scalars(tag)]
        assert log.column(tag) == pytest.approx(curve, rel=1e-5)
    assert [int(row["images_seen"]) for row in rows(log.path) if row["loss/D"]] == [
        *range(8, 65, 8)
    ]


def test_held_out_images_have_a_curve(run_folder: Path) -> None:
    values = MetricsCSV(str(run_folder)).column("D(held-out)")
    assert values
    assert all(0 < value < 1 for value in values)


def test_a_runs_pictures(run_folder: Path) -> None:
    accumulator = events(run_folder)
    assert [e.step for e in accumulator.Images("reals")] == [0]
    pictures = accumulator.Images("samples")
    assert [e.step for e in pictures] == [32, 64]
    # One row a class: ten rows of 28 pixels and a border of 2.
    assert {(e.height, e.width) for e in pictures} == {(302, 302)}


def test_the_hparams_tab_is_filled(run_folder: Path) -> None:
    accumulator = events(run_folder)
    tags = accumulator.summary_metadata
    assert {"_hparams_/experiment", "_hparams_/session_start_info"} <= set(tags)
    content = tags["_hparams_/session_start_info"].plugin_data.content
    for setting in (b"optimizer.lr", b"model.generator.width", b"NonSaturating", b"digits"):
        assert setting in content
