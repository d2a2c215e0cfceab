"""Which runs become rows, what they are called, by what they are ranked, and who stands apart."""

import json
from pathlib import Path

import pytest

from gan_lightning.errors import UserError
from gan_lightning.leaderboard.board import Board, read_board
from gan_lightning.leaderboard.compare import compare
from gan_lightning.leaderboard.sections import sections
from tests.leaderboard.conftest import MakeRun, evaluation


def rows(board: Board, ranking: int = 0) -> dict[str, list[float]]:
    return {row.name: row.values("fid") for row in board.rankings[ranking].rows}


def reason(board: Board, name: str) -> str:
    (why,) = [why for folder, why in board.apart if folder.name == name]
    return why


def test_settings_are_ranked_by_their_medians(make_run: MakeRun, tmp_path: Path) -> None:
    for seed, (old, new) in enumerate([(3.0, 0.9), (3.5, 0.8), (3.2, 1.0)]):
        make_run(f"sweep/a{seed}", ["data=mnist", "penalty=none"], seed, old, weight=0.0)
        make_run(f"deep/er/b{seed}", ["data=mnist", "logger=csv"], seed, new)
    board = read_board([tmp_path])
    assert rows(board) == {"default": [0.9, 0.8, 1.0], "penalty=none": [3.0, 3.5, 3.2]}
    best, worse = board.rankings[0].rows
    assert best.against_best == "best"
    assert worse.against_best.startswith("more than noise")
    assert best.middle("fid").seed == "0"
    assert board.rankings[0].floors == {"fid": [0.25]}
    assert board.everywhere == {"data": "mnist"}
    assert board.apart == []
    assert [run.minutes for run in best.runs] == [3.0] * 3
    assert [run.images for run in best.runs] == [200] * 3


def test_a_default_that_is_typed_is_the_same_setting(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", [], 0, 1.0)
    make_run("b", ["penalty.weight=1.0"], 1, 2.0)
    assert rows(read_board([tmp_path])) == {"default": [1.0, 2.0]}


def test_a_row_alone_is_called_by_all_of_its_overrides(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", ["data=mnist", "loss=hinge"], 0, 1.0)
    assert rows(read_board([tmp_path])) == {"data=mnist loss=hinge": [1.0]}


def test_what_overrides_do_not_tell_config_does(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", None, 0, 1.0, weight=1.0)
    make_run("b", None, 0, 2.0, weight=2.0)
    assert rows(read_board([tmp_path])) == {
        "penalty.weight=1.0": [1.0],
        "penalty.weight=2.0": [2.0],
    }
    make_run("c", [], 0, 3.0, weight=3.0)  # of versions with other defaults
    make_run("d", [], 0, 4.0, weight=4.0)
    assert {"penalty.weight=3.0", "penalty.weight=4.0"} <= rows(read_board([tmp_path])).keys()


def test_one_seed_says_nothing(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", ["x=1"], 0, 1.0, weight=1)
    for seed in range(3):
        make_run(f"b{seed}", ["x=2"], seed, 90.0 + seed, weight=2)
    _, row = read_board([tmp_path]).rankings[0].rows
    assert row.against_best == "one seed: nothing can be said"


def test_a_seed_counts_once(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("old", [], 0, 1.0)
    make_run("new", [], 0, 2.0, ending={"start": "2026-01-02T00:00:00+00:00"})
    board = read_board([tmp_path])
    assert rows(board) == {"default": [2.0]}
    assert "ran again" in reason(board, "old")


def test_units_are_not_mixed(make_run: MakeRun, tmp_path: Path) -> None:
    for seed in range(2):
        make_run(f"a{seed}", ["x=1"], seed, 1.0 + seed, weight=1)
    make_run("b", ["x=2"], 0, 0.5, weight=2, unit="feedbeef")
    board = read_board([tmp_path])
    assert [[*rows(board, i)] for i in range(2)] == [["x=1"], ["x=2"]]
    assert any("not compared" in remark for remark in board.remarks)
    assert "unit feedbeef" in sections(board)[1].lines[0]


def test_evaluations_of_all_come_before_live_scores(make_run: MakeRun, tmp_path: Path) -> None:
    runs = [make_run(f"sweep/{s}", [], s, 9.0) for s in range(2)]
    evaluation(tmp_path / "sweep", (runs[0], 1.5), (runs[1], 2.5))  # beside the runs, not in them
    board = read_board([tmp_path])
    assert rows(board) == {"default": [1.5, 2.5]}
    assert board.rankings[0].rows[0].values("cas") == [0.75, 0.75]
    assert board.rankings[0].floors == {"fid": [0.5], "cas": [0.99]}
    assert rows(read_board([tmp_path], "live")) == {"default": [9.0, 9.0]}


def test_one_evaluation_alone_does_not_mix(make_run: MakeRun, tmp_path: Path) -> None:
    first = make_run("a", ["x=1"], 0, 9.0, weight=1)
    make_run("b", ["x=2"], 0, 8.0, weight=2)
    evaluation(first, (first, 0.5))
    board = read_board([tmp_path])
    assert rows(board) == {"x=2": [8.0], "x=1": [9.0]}
    assert any("1 of 2 runs" in remark for remark in board.remarks)
    board = read_board([tmp_path], "evaluation")
    assert rows(board) == {"x=1": [0.5]}
    assert "scores=evaluation" in reason(board, "b")


def test_an_evaluation_of_an_earlier_generator_is_not_its_score(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run("a", [], 0, 9.0)
    evaluation(run, (run, 0.5))
    (run / "generator.safetensors").write_text("trained on")
    assert rows(read_board([tmp_path])) == {"default": [9.0]}


@pytest.mark.parametrize(
    ("ending", "files", "why"),
    [
        ({"reason": "running", "end": None}, {}, "running, or killed"),
        ({"reason": "failed: D diverged"}, {}, "failed: D diverged"),
        ({}, {"run.json": "{"}, "run.json is no JSON record"),
        ({}, {"run.json": '{"sessions": {"a": 1}}'}, "not known"),
        ({}, {"config.yaml": "a: [", "floors.json": "{}"}, "config.yaml is no YAML mapping"),
        ({}, {"metrics.csv": "images_seen,loss/D\n200,1\n"}, "no score"),
        ({}, {"metrics.csv": ""}, "no score"),
        ({}, {"metrics.csv": "images_seen,score/fid\n100,7\n200,1.2"}, "up to 100 of 200"),
    ],
)
def test_a_run_that_cannot_be_ranked_says_why(
    make_run: MakeRun, tmp_path: Path, ending: dict[str, str], files: dict[str, str], why: str
) -> None:
    make_run("good", [], 0, 1.0)
    make_run("bad", [], 1, 1.0, ending=ending, files=files)
    board = read_board([tmp_path])
    assert rows(board) == {"default": [1.0]}
    assert why in reason(board, "bad")
    (apart,) = [part for part in sections(board) if part.title == "Not ranked"]
    assert why in apart.rows[0][1]


def test_an_older_run_stands_apart_with_a_reason() -> None:
    board = read_board([Path("tests/old/run")])
    assert board.rankings == []
    assert "no score" in reason(board, "run")


def test_folders_without_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read_board([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="holds no runs"):
        read_board([tmp_path])


def test_a_folder_named_twice_counts_once(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("sweep/a", [], 0, 1.0)
    assert rows(read_board([tmp_path, run, tmp_path / "sweep"])) == {"default": [1.0]}


def test_two_folders_row_by_row(make_run: MakeRun, tmp_path: Path) -> None:
    for seed in range(3):
        for name, loss, shift in (("A", "hinge", 1.0), ("B", "logistic", 4.0)):
            common = [f"loss={loss}"]  # what is compared: it does not make rows differ
            make_run(f"{name}/r1-{seed}", [*common, "penalty=r1"], seed, shift + seed / 10)
            other = "none" if name == "A" else "gp"
            fid = shift * 2 + seed / 10
            make_run(f"{name}/{other}-{seed}", [*common, f"penalty={other}"], seed, fid, weight=9)
    found = compare([tmp_path / "A"], [tmp_path / "B"])
    (pair,) = found.pairs
    assert pair.a.name == "penalty=r1"
    assert pair.medians == (1.1, 4.1)
    assert pair.said.startswith("more than noise")
    assert [(name, where[0]) for name, where in found.alone] == [
        ("penalty=none", "A"),
        ("penalty=gp", "B"),
    ]
    assert found.everywhere == ["loss=hinge", "loss=logistic"]


def test_both_folders_are_measured_alike(make_run: MakeRun, tmp_path: Path) -> None:
    first, second = make_run("A/x", [], 0, 9.0), make_run("B/x", [], 0, 8.0)
    evaluation(first, (first, 0.5))
    (pair,) = compare([tmp_path / "A"], [tmp_path / "B"]).pairs
    assert pair.medians == (9.0, 8.0)
    evaluation(second, (second, 0.25))
    (pair,) = compare([tmp_path / "A"], [tmp_path / "B"]).pairs
    assert pair.medians == (0.5, 0.25)


def test_what_a_stranger_wrote_stays_text(make_run: MakeRun, tmp_path: Path) -> None:
    text = json.dumps({"overrides": [7], "sessions": [{"reason": "complete", "git_commit": 3}]})
    make_run("a", [], 0, 1.0, files={"run.json": text, "floors.json": '{"scores": {"fid": "x"}}'})
    assert [*rows(read_board([tmp_path])).values()] == [[1.0]]
