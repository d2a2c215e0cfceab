"""Run folders made by hand: a setting, a seed and scores each."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make a finished run: its folder, the overrides and FID; files=TEXT replaces a file."""

    def make(
        name: str,
        overrides: list[str] | None,
        seed: int,
        fid: float,
        *,
        weight: float = 1.0,
        ending: dict[str, Any] | None = None,
        unit: str = "0123abcd",
        files: dict[str, str] | None = None,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        config = {
            "seed": seed,
            "run_dir": str(folder),
            "data": {"name": "mnist", "seed": seed, "root": "/somewhere", "fraction": 1.0},
            "penalty": {"_target_": "gan_lightning.penalties.R1", "weight": weight},
            "callbacks": {
                "scores": {"num_samples": 500, "neighbours": 100},
                "lab": {"file": f"{folder}/lab.npz"},
            },
        }
        session = {
            "start": "2026-01-01T00:00:00+00:00",
            "end": "2026-01-01T00:03:00+00:00",
            "reason": "complete",
            "images_seen": 200,
            "git_commit": "0123456789",
        } | (ending or {})
        record: dict[str, Any] = {"sessions": [session]}
        if overrides is not None:
            record["overrides"] = [*overrides, f"seed={seed}"]
        floors = {"scores": {"fid": 0.25}, "reals": 500, "unit": unit}
        content = {
            "config.yaml": yaml.safe_dump(config),
            "run.json": json.dumps(record),
            "metrics.csv": f"images_seen,loss/D,score/fid\n100,1,{fid + 9}\n200,1,{fid}\n",
            "floors.json": json.dumps(floors),
            "generator.safetensors": name,  # no network, but a file with a hash
        } | (files or {})
        for file, text in content.items():
            (folder / file).write_text(text)
        return folder

    return make


def evaluation(folder: Path, *runs: tuple[Path, float], samples: int = 500) -> None:
    """Write an evaluation.json with these runs' generators, and their FID and CAS."""

    def scores(fid: float, cas: float) -> dict[str, Any]:
        own = {"cas": {"value": cas, "margin": None}}
        return {"train": {"fid": {"value": fid, "margin": 0.1}}, "own": own}

    record = {
        "unit": "0123abcd",
        "data": {"name": "mnist", "splits": {"train": {"fingerprint": "f00d"}}},
        "num_samples": samples,
        "floor_samples": {"train": samples},
        "floors": scores(0.5, 0.99),
        "candidates": [
            {
                "sha256": hashlib.sha256((run / "generator.safetensors").read_bytes()).hexdigest(),
                "scores": scores(fid, 0.75),
            }
            for run, fid in runs
        ],
    }
    (folder / "evaluation.json").write_text(json.dumps(record))
