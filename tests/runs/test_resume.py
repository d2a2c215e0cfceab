"""Going on with a run: what is restored, what may change, what a wrong resume must not touch."""

import csv
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from gan_lightning.system import checkpoint_file
from tests.conftest import Command


@pytest.fixture
def run(run_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished run: two epochs of 32 images."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def column(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_a_resume_that_does_not_fit_changes_nothing(run: Path, command: Command) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = command(f"resume={run}", "model=mlp", "trainer.max_epochs=3")
    assert done.status == 2
    assert "do not fit" in done.err
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert {k: v for k, v in after.items() if "events" not in k.name} == {
        k: v for k, v in before.items() if "events" not in k.name
    }


def test_a_learning_rate_of_the_command_line_is_used(run: Path, command: Command) -> None:
    asked = ("optimizer=adam", "optimizer.lr=1e-5", "trainer.max_epochs=3")
    done = command(f"resume={run}", *asked)
    assert done.status == 0, done.err
    assert column(run, "images_seen")[-1] == 96
    for name in ("lr/D", "lr/G"):
        assert column(run, name)[-1] == pytest.approx(1e-5)
        assert column(run, name)[0] == pytest.approx(2e-3, rel=0.1)


def test_each_start_is_recorded_as_it_was_typed(run: Path, command: Command) -> None:
    """And not with the history that it goes on with."""
    typed = (f"resume={run}", "trainer.max_epochs=3", "+trainer.profiler=null")
    assert command(*typed).status == 0
    record = json.loads((run / "run.json").read_text())
    assert record["sessions"][-1]["command"] == shlex.join(["train.py", *typed])
    assert record["overrides"][-2:] == [*typed[1:]]
    assert record["overrides"][:-2] == ["data=digits", "debug=fast", *record["overrides"][2:-2]]


def test_a_finished_run_says_so(run: Path, command: Command) -> None:
    done = command(f"resume={run}")
    assert done.status == 0, done.err
    assert "already complete: 2 of 2 epochs" in done.out


def test_an_epoch_that_a_time_limit_cut_short_goes_on(run: Path, command: Command) -> None:
    cut, whole = run.parent / "cut", 187 * 8
    settings = ("data=digits", "debug=fast", "data.repeat=1", "trainer.limit_train_batches=1.0")
    first = command(*settings, "trainer.max_time=00:00:00:01", f"hydra.run.dir={cut}")
    assert first.status == 0, first.err
    checkpoint = torch.load(cut / "checkpoints" / "last.ckpt", weights_only=True)
    seen = checkpoint["state_dict"]["_extra_state"]["images_seen"]
    assert 0 < seen < whole, "the limit should fall within the first epoch"
    second = command(f"resume={cut}", "trainer.max_time=null", "trainer.max_epochs=1")
    assert second.status == 0, second.err
    assert column(cut, "images_seen")[-1] == whole


@pytest.mark.parametrize("wrong", ["run/config.yaml", "nowhere"])
def test_what_is_no_run_folder_is_refused(wrong: str, run: Path, command: Command) -> None:
    done = command(f"resume={wrong}")
    assert done.status == 2
    assert "no run is there" in done.err
    assert not (run.parent / "nowhere").exists()


def test_a_new_run_does_not_write_into_the_folder_of_another(run: Path, command: Command) -> None:
    before = OmegaConf.load(run / "config.yaml")
    done = command("data=digits", "debug=fast", f"hydra.run.dir={run}")
    assert done.status == 2
    assert "holds a run" in done.err
    assert OmegaConf.load(run / "config.yaml") == before


def test_a_start_reads_its_checkpoint_once(
    run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preflight, the look at its weights and Lightning all want it: it was read three times."""
    read: list[str] = []
    load = checkpoint_file.read_verified

    def counted(path: Path, *arguments: Any) -> Any:
        read.append(path.name)
        return load(path, *arguments)

    monkeypatch.setattr(checkpoint_file, "read_verified", counted)
    done = command(f"resume={run}", "trainer.max_epochs=3")
    assert done.status == 0, done.err
    assert read == ["last.ckpt"]
