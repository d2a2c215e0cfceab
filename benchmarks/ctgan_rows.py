"""data=table beside CTGAN: the same rows, the same time, the same scores.

    pip install -c constraints.txt -e '.[ctgan]'
    python benchmarks/ctgan_rows.py --tables marks,placements --seeds 0,1,2

`marks` is the lecture's table, `placements` sdmetrics' own demo table without its columns that
have gaps and its student_id. The default of data=table trains first; CTGAN, its settings its own,
then gets as many epochs on the same training rows as fit into as much CPU time of one thread. Both
draw 5,000 rows, which one call of evaluate.py scores.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.clock import read_clock
from benchmarks.zoo import command
from gan_lightning.data import TableDataModule
from gan_lightning.evaluation.rows import frame
from gan_lightning.lecture.trained import trained_on

FOLDER = ROOT / "outputs" / "ctgan"
ROWS = 5000
PILOT = 20  # epochs whose time says how many fit
SHOWN = ("quality", "shapes", "pairs", "mean", "deviation", "correlation", "boundary", "learnt")


def write_table(name: str, path: Path) -> None:
    """Write a table of that name as a CSV file."""
    if name == "marks":
        command(
            path.with_suffix(".log"), "-m", "gan_lightning.lecture", "marks", f"--output={path}"
        )
        return
    from sdmetrics.demos import load_demo

    real = load_demo("single_table")[0]["student_placements"]
    real.dropna(axis=1).drop(columns="student_id").to_csv(path, index=False)


def train_ctgan(data: TableDataModule, seconds: float, seed: int, output: Path) -> int:
    """Fit CTGAN to the training rows for so many CPU seconds, write rows; return its epochs."""
    import torch
    from ctgan import CTGAN

    rows: Any = frame(data.schema, data.images.images, data.images.labels)
    kinds = {column.name: column.kind for column in data.schema.columns}
    discrete = [name for name in rows if kinds[name] == "category"]
    epochs, spent = PILOT, 0.0
    for _ in range(3):  # the pilot, which also starts everything; what fits by it; what fits
        torch.manual_seed(seed)
        model = CTGAN(epochs=epochs, enable_gpu=False)
        model.set_random_state(seed)
        before = time.process_time()
        model.fit(rows, discrete)
        spent = time.process_time() - before
        done, epochs = epochs, max(1, round(epochs * seconds / spent))
    drawn = model.sample(ROWS)
    drawn.to_csv(output, index=False)
    print(f"CTGAN, seed {seed}: {done} epochs, {spent:.0f} s", flush=True)
    return done


def compare(name: str, seed: int) -> list[dict[str, float]]:
    """Return the scores of this project, of CTGAN and the floor, on one table."""
    folder = FOLDER / f"{name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    table, run, theirs = FOLDER / f"{name}.csv", folder / "run", folder / "ctgan.csv"
    data = ("data=table", f"data.root={table}")
    if not table.exists():
        write_table(name, table)
    if not (run / "generator.safetensors").exists():
        clock = ("+callbacks.clock._target_=benchmarks.clock.Clock",)
        clock += ("+callbacks.clock.file=${run_dir}/clock.csv", "callbacks.progress_bar=null")
        where = (f"hydra.run.dir={run}", f"seed={seed}", "trainer.accelerator=cpu")
        command(folder / "train.log", "train.py", *data, *where, *clock)
    if not theirs.exists():
        rows = trained_on(run)
        assert isinstance(rows, TableDataModule)
        train_ctgan(rows, max(read_clock(run / "clock.csv").values()), seed, theirs)
    output = folder / "evaluation.json"
    both = (f"generator={run / 'generator.safetensors'}", f"images={theirs}", f"num_samples={ROWS}")
    asked = (*both, *data, f"output={output}", "overwrite=true", "accelerator=cpu")
    command(folder / "evaluate.log", "evaluate.py", *asked)
    record = json.loads(output.read_text())
    return [*(one["scores"] for one in record["candidates"]), record["floor"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="marks,placements")
    parser.add_argument("--seeds", default="0,1,2")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"| table | rows by | {' | '.join(SHOWN)} |", "|---" * (len(SHOWN) + 2) + "|", sep="\n")
    for name in asked.tables.split(","):
        runs = [compare(name, int(seed)) for seed in asked.seeds.split(",")]
        who = ("this project", "CTGAN", "reals (floor)")
        for author, scores in zip(who, zip(*runs, strict=True), strict=True):
            cells = [
                f"{statistics.median(one[key] for one in scores):.3f}"
                if all(key in one for one in scores)
                else ""
                for key in SHOWN
            ]
            print(f"| {name} | {author} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
