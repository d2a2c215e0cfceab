"""Train settings side by side and print a table: FID, precision, recall against minutes.

    python benchmarks/recipes.py --minutes 10 --seeds 0,1,2
    python benchmarks/recipes.py --minutes 3 --threads 1 --jobs 2 --settings "default;plain DCGAN"

Minutes are training time alone: scores, pictures and checkpoints between epochs do not count.
Runs go to outputs/recipes-*/ and are not repeated if their metrics.csv is there, so a table can
be made in parts.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLAIN = [  # the DCGAN paper's settings: BatchNorm in both, Adam 2e-4 with beta1 0.5, no average
    "penalty=none",
    "ema=none",
    "optimizer.lr=2e-4",
    "optimizer.betas=[0.5,0.999]",
    "model.discriminator.batch_norm=true",
    "data.batch_size=64",
]
SETTINGS: dict[str, list[str]] = {
    "default": [],
    "plain DCGAN": PLAIN,
    "default, unconditional": ["model.num_classes=0"],
    "plain DCGAN, unconditional": [*PLAIN, "model.num_classes=0"],
    "default, no average": ["ema=none"],
    "default, no penalty": ["penalty=none"],
    "default, penalty weight 5": ["penalty.weight=5"],
    "default, hinge": ["loss=hinge"],
    "default, twice the rate": ["optimizer.lr=2e-3"],
    "default, batch 32": ["data.batch_size=32"],
    "default, beta1 0.5": ["optimizer.betas=[0.5,0.99]"],
    "default, twice the width": ["model.generator.width=32", "model.discriminator.width=32"],
    "mlp": ["model=mlp"],
}


def run(name: str, seed: int, minutes: float, threads: int, folder: Path) -> Path:
    """Train one setting unless it was trained before; return its run folder."""
    target = folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    if (target / "generator.safetensors").exists():
        return target
    limit = int(minutes * 60 * 1.25)  # of all the time; training alone is less
    time = f"00:{limit // 3600:02d}:{limit % 3600 // 60:02d}:{limit % 60:02d}"
    command = [sys.executable, "train.py", *SETTINGS[name], f"seed={seed}"]
    command += [f"hydra.run.dir={target}", "trainer.max_epochs=1000", f"trainer.max_time={time}"]
    # Half an epoch between scores: the points of the curves lie close enough to read off minutes.
    command += [
        "trainer.accelerator=cpu",
        "data.on_missing=error",
        "trainer.limit_train_batches=0.5",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return target


def curve(folder: Path) -> list[tuple[float, dict[str, float]]]:
    """Return (minutes of training, scores) of every scored epoch of a run."""
    seconds, images, points = 0.0, 0, []
    with (folder / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            if row["images/s"]:
                seconds += (int(row["images_seen"]) - images) / float(row["images/s"])
                images = int(row["images_seen"])
            if row.get("score/fid"):
                scores = {key: float(row[f"score/{key}"]) for key in ("fid", "precision", "recall")}
                points.append((seconds / 60, scores | {"images": int(row["images_seen"])}))
    return points


def at(points: list[tuple[float, dict[str, float]]], minutes: float) -> dict[str, float]:
    """Return the scores of the epoch that ended nearest to that time."""
    return min(points, key=lambda point: abs(point[0] - minutes))[1]


def table(folders: dict[str, list[Path]], minutes: list[float]) -> str:
    """Return a markdown table: medians over seeds."""
    head = [f"FID {m:g} min" for m in minutes] + ["precision", "recall", "images seen", "range"]
    lines = ["| setting | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, runs in folders.items():
        curves = [curve(run) for run in runs]
        median = {
            m: {k: statistics.median(at(c, m)[k] for c in curves) for k in at(curves[0], m)}
            for m in minutes
        }
        last = [at(c, minutes[-1])["fid"] for c in curves]
        cells = [f"{median[m]['fid']:.3f}" for m in minutes]
        end = median[minutes[-1]]
        cells += [f"{end['precision']:.3f}", f"{end['recall']:.3f}", f"{end['images']:,.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {min(last):.3f} to {max(last):.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--settings", default=";".join(SETTINGS), help="separated by ;")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "recipes")
    args = parser.parse_args()
    names = args.settings.split(";")
    jobs = [(name, int(seed)) for seed in args.seeds.split(",") for name in names]
    with ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(lambda job: run(*job, args.minutes, args.threads, args.folder), jobs))
    folders: dict[str, list[Path]] = {name: [] for name in names}
    for (name, _), folder in zip(jobs, done, strict=True):
        folders[name].append(folder)
    print(table(folders, sorted({1.5, args.minutes})))


if __name__ == "__main__":
    main()
