"""A run folder made by hand, with what a test asks for in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CONFIG = """seed: 3
data: {name: ring}
model: {generator: {_target_: gan_lightning.networks.DCGANGenerator}}
loss: {_target_: gan_lightning.losses.Hinge}
callbacks: {doctor: {}, scores: {num_samples: 500}}
"""
SESSION = {
    "command": "train.py loss=hinge",
    "seed": 3,
    "git_commit": "0123456789abcdef",
    "versions": {"torch": "2.15.0"},
    "start": "2026-01-01T00:00:00+00:00",
    "end": "2026-01-01T00:03:00+00:00",
    "reason": "complete",
    "status": 0,
    "images_seen": 200,
}
METRICS = "images_seen,loss/D,loss/G,score/fid\n100,1.5,0.5,\n100,,,4.25\n200,1.25,0.75,2.125\n"
MakeRun = Callable[..., Path]


def picture(path: Path, seed: int = 0, side: int = 20) -> None:
    """Write grey noise as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make a run folder of these files' texts; None leaves one out."""

    def make(**files: Any) -> Path:
        folder = tmp_path / "run"
        folder.mkdir()
        record = json.dumps({"sessions": [SESSION]})
        given = {"config_yaml": CONFIG, "run_json": record, "metrics_csv": METRICS} | files
        for name, content in given.items():
            if content is not None:
                (folder / name.replace("_", ".")).write_text(content)
        return folder

    return make
