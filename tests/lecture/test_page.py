"""Every command of docs/lecture.md runs as written, in the page's order, but for less long."""

import re
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
    "classify": ["images=200", "tested=30"],
    "train.py": ["trainer.accelerator=cpu", "trainer.limit_train_batches=8", *NO_SCORES],
    "evaluate.py": ["num_samples=200"],
    "sample.py": ["accelerator=cpu"],
}
ONE_EPOCH, FEW_IMAGES = ["trainer.max_epochs=1"], ["data.fraction=0.2"]  # a density has no epochs
PAGE = (ROOT / "docs" / "lecture.md").read_text()


def of_the_page() -> list[list[str]]:
    """Return the page's commands for users, not those that made its pictures."""
    return [
        words
        for words in commands(PAGE)
        if words[0] != "pip" and not words[1].startswith("benchmarks/")
    ]


def run(words: list[str], command: Command) -> int:
    """Run a command within this process; return its status."""
    program, name, *rest = words
    assert program == "python"
    if name in SCRIPTS:
        fitted = any(word in {"model=naive_bayes", "model=gmm", "model=hmm"} for word in rest)
        less = [] if name != "train.py" else FEW_IMAGES if fitted else ONE_EPOCH
        return command(*rest, *SHORTER[name], *less, script=SCRIPTS[name]).status
    assert rest[0] == "gan_lightning.lecture"
    lecture([*rest[1:], *SHORTER.get(rest[1], [])])
    return 0


def learnt(said: str) -> None:
    """The draws, a GAN and a mixture are within three deviations of the table of four points."""
    assert "sampling error 0.022" in said
    differences = [float(found) for found in re.findall(r": ([0-9.]+)(?=;|$)", said)]
    assert len(differences) == 3
    assert max(differences) < 0.033


def test_every_command_of_the_page_runs(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(classifiers, "PASSES", 400)
    monkeypatch.setattr(classifiers, "DRAWS", 1)
    ends = {}
    for words in of_the_page():
        ends[shlex.join(words)] = run(words, command)
        if "joint" in words:
            learnt(capfd.readouterr().out.splitlines()[-1])
    assert len(ends) > 15
    assert {words: status for words, status in ends.items() if status} == {}
    assert {"joint.png", "marks.csv", "new.csv", "digits.npz"} <= {
        p.name for p in tmp_path.iterdir()
    }
