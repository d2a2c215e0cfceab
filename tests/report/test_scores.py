"""Scores and their floors, from the records of a run."""

import json
from typing import Any

import pytest

from gan_lightning.report.curves import read_curves
from gan_lightning.report.folder import read_run
from gan_lightning.report.scores import best_position, evaluations, final_scores, live_floors
from tests.report.conftest import MakeRun

METRICS = "images_seen,score/fid,score/recall\n100,2.0,0.1\n200,1.0,0.2\n300,3.0,0.3\n"


def record(**changes: Any) -> dict[str, Any]:
    """Return the record of an evaluation of ring's generator."""
    return {
        "network": {"arguments": {"num_features": 128}},
        "data": {"name": "ring"},
        "num_samples": 500,
        "definitions": {"fid": {"title": "FID", "better": "low"}},
        "floors": {"train": {"fid": {"value": 0.036, "margin": None}}, "test": {}, "own": {}},
        "candidates": [
            {"name": "mine", "scores": {"train": {"fid": {"value": 0.5, "margin": 0.01}}}}
        ],
    } | changes


def test_the_best_is_where_the_watched_score_is_lowest(make_run: MakeRun) -> None:
    run = read_run(make_run(metrics_csv=METRICS))
    curves = read_curves(run.curves_text)
    assert best_position(run, curves) == 200
    table = final_scores(run, curves, {"score/fid": 0.25})
    assert "best generator, 200 images" in table
    assert "latest, 300 images" in table
    assert '<th scope="row">fid</th><td>1</td><td>3</td><td>0.25</td>' in table
    assert '<th scope="row">recall</th><td>0.2</td><td>0.3</td><td>-</td>' in table


def test_floors_of_the_runs_own_record_come_first(make_run: MakeRun) -> None:
    own = {"scores": {"fid": 0.3, "recall": 0.8, "odd": None}, "reals": 297}
    folder = make_run(floors_json=json.dumps(own), evaluation_json=json.dumps(record()))
    run = read_run(folder)
    assert live_floors(run) == {"score/fid": 0.3, "score/recall": 0.8}
    words = final_scores(run, read_curves(run.curves_text), live_floors(run))
    assert "stands on 297 reals alone" in words


@pytest.mark.parametrize(
    ("changes", "floors"),
    [
        ({}, {"score/fid": 0.036}),
        ({"data": {"name": "mnist"}}, {}),
        ({"num_samples": 1000}, {}),
        ({"network": {"arguments": {}}}, {}),  # Inception
        ({"floors": {"train": {"fid": {"value": "inf"}}}}, {}),
    ],
)
def test_an_evaluation_has_the_floor_if_it_is_in_the_same_unit(
    changes: dict[str, Any], floors: dict[str, float], make_run: MakeRun
) -> None:
    run = read_run(make_run(evaluation_json=json.dumps(record(**changes))))
    assert live_floors(run) == floors


def test_evaluations_of_images_and_of_rows(make_run: MakeRun) -> None:
    rows = {"floor": {"ks": 0.1}, "candidates": [{"name": "rows", "scores": {"ks": 0.2}}]}
    folder = make_run(evaluation_json=json.dumps(record()))
    (folder / "evaluation-2.json").write_text(json.dumps(rows))
    tables = evaluations(read_run(folder))
    assert '<th scope="row">FID ↓</th><td>0.5 ± 0.01</td><td>0.036</td>' in tables
    assert '<th scope="row">ks</th><td>0.2</td><td>0.1</td>' in tables
