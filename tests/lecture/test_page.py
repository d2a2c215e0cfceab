"""Every command of docs/lecture.md runs as written, in the page's order, but for less long."""

import shlex
from pathlib import Path

import pytest

import evaluate
import sample
import train
from gan_lightning.lecture import classifiers
from gan_lightning.lecture.__main__ import main as lecture
from tests.commands import commands
from tests.conftest import ROOT, Command

NO_SCORES = ["callbacks.scores=null", "callbacks.samples=null", "callbacks.progress_bar=null"]
SCRIPTS = {"train.py": train, "sample.py": sample, "evaluate.py": evaluate}
SHORTER = {  # added to a command that has the word
    "classify": ["images=200", "tested=50"],
    "joint": ["--samples", "500"],
    "judge": ["--images", "50"],
    "train.py": ["trainer.accelerator=cpu", "trainer.limit_train_batches=8", *NO_SCORES],
    "evaluate.py": ["num_samples=200"],
    "sample.py": ["accelerator=cpu"],
}
ONE_EPOCH = ["trainer.max_epochs=1"]  # not of a density, which has no epochs
PAGE = (ROOT / "docs" / "lecture.md").read_text()


def of_the_page() -> list[list[str]]:
    """Return the page's commands for users, not those that made its pictures."""
    return [words for words in commands(PAGE) if not words[1].startswith("benchmarks/")]


def run(words: list[str], command: Command) -> int:
    """Run a command within this process; return its status."""
    program, name, *rest = words
    assert program == "python"
    if name in SCRIPTS:
        fitted = any(word in {"model=naive_bayes", "model=gmm", "model=hmm"} for word in rest)
        epochs = ONE_EPOCH if name == "train.py" and not fitted else []
        return command(*rest, *SHORTER[name], *epochs, script=SCRIPTS[name]).status
    assert rest[0] == "gan_lightning.lecture"
    lecture([*rest[1:], *SHORTER.get(rest[1], [])])
    return 0


def test_every_command_of_the_page_runs(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(classifiers, "PASSES", 400)
    monkeypatch.setattr(classifiers, "DRAWS", 1)
    ends = {shlex.join(words): run(words, command) for words in of_the_page()}
    assert len(ends) > 15
    assert {words: status for words, status in ends.items() if status} == {}
    assert {"joint.png", "marks.csv", "new.csv", "digits.npz"} <= {
        p.name for p in tmp_path.iterdir()
    }
