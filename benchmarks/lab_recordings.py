"""Records the trainings that come with the page's lab: `python benchmarks/lab_recordings.py`.

Five runs of train.py with callbacks=lab on one thread of a CPU, some five minutes; each `lab.npz`
goes to `gan_lightning/page/recordings/`. Prints the SHA-256 of each, as docs/page.md has it.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gan_lightning.export.lab_file import LAB_FILE
from gan_lightning.page.library import SHIPPED
from gan_lightning.system.files import sha256

BARE = [
    *("callbacks=lab", "callbacks.checkpoints=null", "callbacks.samples=null"),
    *("callbacks.doctor=null", "callbacks.progress_bar=null"),
    "trainer.accelerator=cpu",
]
TOY = ["model=toy", "callbacks.scores.every_n_epochs=8"]
WITHOUT = ["penalty=none", "callbacks.lab.title='non-saturating, no penalty'"]
WITH = ["penalty=r1", "penalty.weight=0.02", "callbacks.lab.title='non-saturating, R1'"]
RUNS = {
    "1-ring-none": ["data=ring", *TOY, *WITHOUT, "trainer.max_epochs=16"],
    "2-ring-r1": ["data=ring", *TOY, *WITH, "trainer.max_epochs=16"],
    "3-grid-none": ["data=grid", *TOY, *WITHOUT, "trainer.max_epochs=24"],
    "4-grid-r1": ["data=grid", *TOY, *WITH, "trainer.max_epochs=24"],
    "5-digits": ["experiment=quickstart", "callbacks.lab.title='quickstart'"],
}


def main() -> None:
    asked = sys.argv[1:] or list(RUNS)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    SHIPPED.mkdir(exist_ok=True)
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / name
            words = [*RUNS[name], *BARE, f"hydra.run.dir={run}"]
            command = [sys.executable, "train.py", *words]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            shutil.copy(run / LAB_FILE, SHIPPED / f"{name}.npz")
            print(name, last_scores(run / "metrics.csv"))
    total = 0
    for path in sorted(SHIPPED.glob("*.npz")):
        total += path.stat().st_size
        print(f"{sha256(path)}  {path.name}  {path.stat().st_size:,}")
    print(f"{total:,} bytes in all")


def last_scores(file: Path) -> dict[str, str]:
    """Return the last scores of a run, if it has any."""
    with file.open() as lines:
        rows = [{k: v for k, v in row.items() if "score/" in k} for row in csv.DictReader(lines)]
    return next((row for row in reversed(rows) if any(row.values())), {})


if __name__ == "__main__":
    main()
