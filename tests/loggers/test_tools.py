"""Loggers of tools: what each recorded is read back by the tool's own reader."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gan_lightning.config.schema import resolved
from gan_lightning.loggers import MetricsCSV
from tests.conftest import Command, compose_config, run_script

SHORT = ("data=digits", "debug=fast", "model=mlp", "callbacks.doctor=null")
TOOLS = ("wandb", "mlflow", "trackio")
POINTS, PICTURES = list(range(8, 65, 8)), [0, 32, 64]  # images_seen


@pytest.mark.parametrize("option", ["tensorboard", "csv", "default", *TOOLS])
def test_metrics_csv_is_beside_every_logger(option: str) -> None:
    chosen = resolved(compose_config("run_dir=x", f"logger={option}"))["logger"]
    assert "csv" in chosen
    assert {*chosen} == {"csv", "tensorboard" if option == "default" else option}


def test_several_loggers_at_once() -> None:
    chosen = resolved(compose_config("run_dir=x", "logger=[tensorboard,mlflow]"))["logger"]
    assert {*chosen} == {"csv", "tensorboard", "mlflow"}


def test_no_metrics_csv_is_said(command: Command, tmp_path: Path) -> None:
    ended = command(*SHORT, "logger=tensorboard", "logger.csv=null", "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert "WARNING: logger.csv=null writes no metrics.csv" in ended.out
    assert not (tmp_path / "run" / "metrics.csv").exists()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_missing_package_is_said_before_anything_is_done(
    tool: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(package: str) -> str:
        raise gan_lightning_tool.PackageNotFoundError(package)

    from gan_lightning.loggers import tool as gan_lightning_tool

    monkeypatch.setattr(gan_lightning_tool, "version", missing)
    ended = command(*SHORT, f"logger=[tensorboard,{tool}]", "hydra.run.dir=run")
    assert ended.status == 2
    way = f"pip install -c constraints.txt -e '.[{tool}]'"
    assert ended.err.strip() == f"logger={tool} needs {tool}: {way}"
    assert list(tmp_path.iterdir()) == []


Recorded = dict[str, Any]  # curve: {step: value}; pictures: steps; settings: by name


def read_wandb(folder: Path) -> Recorded:
    """Read the files of all starts of a run."""
    found: Recorded = {"curve": {}, "pictures": [], "settings": {}, "ids": set()}
    for file in sorted(folder.glob("run/wandb/offline-run-*/*.wandb")):
        command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(file)]
        text, summary = (
            subprocess.run([*command, *more], check=True, capture_output=True, text=True).stdout
            for more in ([], ["--summary"])
        )
        content = json.loads(summary)
        assert content["state"] == "finished"
        found["ids"].add(content["run_id"])
        found["settings"] |= content["config"]
        records = [json.loads(line) for line in text.splitlines()]
        for row in [one["history"]["item"] for one in records if one["type"] == "history"]:
            assert row["_step"] == row["images_seen"]
            if "loss/D" in row:
                found["curve"][row["images_seen"]] = row["loss/D"]
            if "samples.filenames" in row or "reals.filenames" in row:
                found["pictures"].append(row["images_seen"])
    return found


def read_mlflow(folder: Path) -> Recorded:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/outputs/mlflow.db")
    experiment = client.get_experiment_by_name("gan-lightning")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "loss/D")
    client.get_metric_history(run.info.run_id, "D_real")  # D(real): no brackets there
    files = [Path(file.path).name for file in client.list_artifacts(run.info.run_id, "images")]
    steps = {int(name.replace("%", "+").split("+")[2]) for name in files if name.endswith(".png")}
    return {
        "curve": {point.step: point.value for point in history},
        "pictures": sorted(steps),
        "settings": run.data.params,
        "ids": {run.info.run_id},
    }


def read_trackio(folder: Path) -> Recorded:
    import sqlite3

    (file,) = (folder / "outputs" / "trackio").glob("*.db")
    with sqlite3.connect(file) as database:
        logs = database.execute("select run_name, step, metrics from metrics").fetchall()
        (config,) = database.execute("select config from configs").fetchone()
    rows = [(step, json.loads(metrics)) for _, step, metrics in logs]
    return {
        "curve": {step: row["loss/D"] for step, row in rows if "loss/D" in row},
        "pictures": sorted(step for step, row in rows if "samples" in row or "reals" in row),
        "settings": json.loads(config),
        "ids": {name for name, _, _ in logs},
    }


READERS = {"wandb": read_wandb, "mlflow": read_mlflow, "trackio": read_trackio}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_resumed_run_goes_on_in_the_same_run_of_the_tool(tool: str, tmp_path: Path) -> None:
    pytest.importorskip(tool)
    first = (*SHORT, f"logger=[tensorboard,{tool}]", "trainer.max_epochs=1", "hydra.run.dir=run")
    more = ("resume=run", "trainer.max_epochs=2")
    for overrides in (first, more):
        done = run_script(tmp_path, "train.py", *overrides)
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr + done.stdout
    recorded = READERS[tool](tmp_path)
    kept = json.loads((tmp_path / "run" / "loggers.json").read_text())[tool]
    assert recorded["ids"] == {kept["id"]}
    assert kept["show"] in done.stdout, "the last lines say how to look at it"
    curve = MetricsCSV(str(tmp_path / "run")).column("loss/D")
    assert recorded["curve"] == pytest.approx(dict(zip(POINTS, curve, strict=True)))
    assert recorded["pictures"] == PICTURES
    assert recorded["settings"]["loss._target_"] == "NonSaturating"


def test_jobs_of_a_sweep_in_one_process_have_runs_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    short = (*SHORT, "trainer.max_epochs=1", "hydra.sweep.dir=sweep", "logger=wandb")
    done = run_script(tmp_path, "train.py", "-m", *short, "seed=0,1")
    assert done.returncode == 0, done.stderr
    kept = [json.loads(file.read_text())["wandb"] for file in tmp_path.rglob("loggers.json")]
    assert len({tool["id"] for tool in kept}) == 2
    assert len([*tmp_path.glob("sweep/*/wandb/offline-run-*")]) == 2
