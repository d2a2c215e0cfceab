"""A search over runs that stand in for train.py: pruned, failed, killed and gone on with."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("optuna")

from optuna.trial import TrialState

from gan_lightning.errors import RunError, UserError
from gan_lightning.search import loop, trial
from gan_lightning.search.asked import Asked
from gan_lightning.search.board import finish
from gan_lightning.search.loop import Loop
from gan_lightning.search.recipe import Recipe
from gan_lightning.search.search import opened
from gan_lightning.search.space import Dimension
from gan_lightning.system.folder_lock import in_use
from tests.conftest import ROOT

# A run of three scores, lr + 1/step: with lr above 5 it waits before the last one, above 9 it
# fails, and while a file `wait` is there it waits after the first. It goes on where it stopped.
RUN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
words = dict(word.partition("=")[::2] for word in sys.argv[1:])
folder, lr = words["hydra.run.dir"].strip("'"), float(words["optimizer.lr"])
os.makedirs(folder, exist_ok=True)
open(f"{folder}/starts", "a").write(f"{os.getpid()}\\n")
if lr > 9:
    sys.exit("it went wrong")
file = f"{folder}/metrics.csv"
if not os.path.exists(file):
    open(file, "w").write("images_seen,score/fid\\n")
for step in range(len(open(file).readlines()), 4):
    while step > 1 and os.path.exists(os.path.dirname(__file__) + "/wait"):
        time.sleep(0.05)
    time.sleep(20 if lr > 5 and step == 3 else 0)
    open(file, "a").write(f"{100 * step},{lr + 1 / step}\\n")
"""
SPACE = (Dimension("optimizer.lr", low=0.5, high=20.0, log=True),)
RECIPE = Recipe("score/fid", 3, 64, 1, {"optimizer.lr": 1.0})
Start = Callable[..., Loop]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stand_in.py"
    path.write_text(RUN)
    monkeypatch.setattr(trial, "TRAIN", path)
    monkeypatch.setattr(loop, "POLL", 0.02)
    return path


def begin(asked: Asked, *rates: float) -> Loop:
    """Open the search of a folder; a new one tries these rates after the recipe's own."""
    asked.folder.mkdir(exist_ok=True)
    study = opened(asked, RECIPE, SPACE)
    for rate in rates:
        study.enqueue_trial({"optimizer.lr": rate})
    return Loop(study, asked, RECIPE, SPACE)


def states(found: Loop) -> list[TrialState]:
    return [one.state for one in found.study.trials]


def test_hopeless_trials_are_pruned_and_failed_ones_have_their_reason(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Asked(tmp_path / "search", trials=8, jobs=2)
    found = begin(asked, 1.5, 2.0, 12.0, 0.75, 3.0, 7.0, 0.5)
    found.run()
    assert [state.name[0] for state in states(found)] == [*"CCCFCCPC"]
    pruned = found.study.trials[6]
    assert pruned.intermediate_values == {1: 8.0, 2: 7.5}  # not at its first score
    finish(found.study, asked, "score/fid", SPACE, "COMMAND")
    said = capsys.readouterr().out
    assert "failed: it went wrong" in said
    assert "python train.py optimizer.lr=0.5" in said
    assert (asked.folder / "parallel_coordinates.png").stat().st_size > 5000
    with (asked.folder / "search.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["7", "4", "0", "1", "2", "5", "6", "3"]
    assert rows[0]["optimizer.lr"] == "0.5"
    assert float(rows[0]["score/fid"]) == pytest.approx(0.5 + 1 / 3)
    assert rows[2]["note"] == "the recipe's own settings"
    assert (rows[6]["state"], rows[6]["images_seen"]) == ("pruned", "200")
    assert (rows[7]["state"], rows[7]["note"]) == ("failed", "it went wrong")


def test_where_all_trials_fail_the_search_ends(script: Path, tmp_path: Path) -> None:
    found = begin(Asked(tmp_path / "search", trials=8), 11.0, 12.0, 13.0, 14.0)
    script.write_text("import sys; sys.exit('no data')")
    with pytest.raises(RunError, match="the first 3 trials failed: no data; what they said is in"):
        found.run()


def test_time_is_counted_over_all_starts(script: Path, tmp_path: Path) -> None:
    (tmp_path / "wait").touch()
    asked = Asked(tmp_path / "search", trials=2, max_time=100.0)
    first = begin(asked)
    first.study.set_user_attr("seconds", 99.5)
    found = begin(asked)
    found.run()
    assert states(found) == [TrialState.RUNNING]
    again = begin(asked)
    assert again.spent >= 100
    again.run()
    assert states(again) == [TrialState.RUNNING]


def test_another_search_in_the_folder_is_a_sentence(tmp_path: Path) -> None:
    begin(Asked(tmp_path, overrides=["loss=hinge"]))
    begin(Asked(tmp_path, overrides=["loss=hinge"], trials=9, jobs=2))
    with pytest.raises(UserError, match=r"holds a search with overrides: \['loss=hinge'"):
        begin(Asked(tmp_path))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "search.db").write_text("no database" * 100)
    with pytest.raises(UserError, match=r"search.db cannot be read \(file is not a database\)"):
        begin(Asked(tmp_path / "broken"))


# Without the check of the recipe, which imports all that trains.
DRIVER = """
import sys
from pathlib import Path
from gan_lightning.search import __main__, loop, recipe, search, trial
trial.TRAIN, loop.POLL = Path(sys.argv[1]), 0.05
around = recipe.Recipe("score/fid", 3, 64, 1, {"optimizer.lr": 1.0})
search.looked_at = lambda asked, space: around
__main__.main(sys.argv[2:])
"""


def command(script: Path, *words: str) -> subprocess.Popen[str]:
    """Start the search in a process of its own, over the stand-in."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(script), *words],
        cwd=script.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(
    what: Callable[[], bool], process: subprocess.Popen[str] | None = None, seconds: float = 90
) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        assert process is None or process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere runs outlive a killed search")
def test_a_search_that_is_killed_or_stopped_goes_on(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.yaml").write_text("optimizer.lr: {low: 0.5, high: 4.5}\n")
    words = ("folder=search", "space=space.yaml", "trials=4", "jobs=2", "data=digits")
    wait, second = tmp_path / "wait", tmp_path / "search/trials/0001"
    wait.touch()
    starts = second / "starts"
    killed = command(script, *words)
    wait_for(lambda: (second / "metrics.csv").exists(), killed)
    wait_for(lambda: "100," in (second / "metrics.csv").read_text(), killed)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    (run,) = map(int, starts.read_text().split())
    wait_for(lambda: not alive(run))

    stopped = command(script, *words)
    wait_for(lambda: len(starts.read_text().split()) == 2, stopped)
    time.sleep(0.5)
    stopped.send_signal(signal.SIGINT)
    said, _ = stopped.communicate()
    assert stopped.returncode == 130, said
    assert "stopped" in said
    assert "the same command runs the 4 trials left: python -m gan_lightning.search" in said
    assert not alive(int(starts.read_text().split()[-1]))

    wait.unlink()
    done = command(script, *words)
    said, _ = done.communicate()
    assert done.returncode == 0, said
    with (tmp_path / "search/search.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["trial"])
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert {row["state"] for row in rows} == {"complete"}
    assert len(starts.read_text().split()) == 3
    assert len((second / "metrics.csv").read_text().split()) == 4
    assert len({row["optimizer.lr"] for row in rows}) == 4  # no draw is repeated


@pytest.mark.slow
def test_runs_of_the_default_recipe_on_digits(tmp_path: Path) -> None:
    """Killed in its second trial, and gone on with from that trial's checkpoint."""
    asked = ("folder=search", "trials=3", "data=digits", "debug=fast", "optimized_metric=loss/G")
    asked += ("trainer.max_epochs=40",)

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gan_lightning.search", *asked],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    killed, second = start(), tmp_path / "search/trials/0001"
    wait_for(lambda: (second / "checkpoints/last.ckpt").exists(), killed, 250)
    killed.kill()
    killed.communicate()
    wait_for(lambda: not in_use(second))
    done = start()
    said, _ = done.communicate(timeout=280)
    assert done.returncode == 0, said
    assert "python train.py data=digits debug=fast optimized_metric=loss/G" in said
    with (tmp_path / "search/search.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["trial"] for row in rows) == ["0", "1", "2"]
    assert {row["images_seen"] for row in rows} == {"1280"}
    sessions = json.loads((second / "run.json").read_text())["sessions"]
    assert [one["reason"] for one in sessions] in (["ended by a signal", "complete"], ["complete"])
