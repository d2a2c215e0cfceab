"""Train settings side by side and print a table: FID, precision, recall against minutes.

    python benchmarks/recipes.py --minutes 10 --seeds 0,1,2
    python benchmarks/recipes.py --minutes 3 --seeds 0 --settings "default;plain DCGAN"
    python benchmarks/recipes.py --minutes 20 --seeds 0 --settings "default;plain DCGAN" --slice 0.2

Minutes are CPU minutes of training alone on one thread (benchmarks/clock.py): what a core of its
own would take, whatever else the machine does. Every setting is stopped after that time; one
whose learning rate falls over the run (the default) gets as many epochs as fit into it, by
--epochs. Runs go to outputs/recipes/ and are not repeated if they are there, so that a table can
be made in parts. --slice makes the epochs shorter, so that the second table, minutes until an FID
is reached, is finer.
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
sys.path.insert(0, str(ROOT))
from benchmarks.clock import read_clock

PLAIN = [  # the DCGAN paper's settings: BatchNorm in both, Adam 2e-4 with beta1 0.5, no average
    "optimizer=adam",
    "penalty=none",
    "ema=none",
    "optimizer.lr=2e-4",
    "optimizer.betas=[0.5,0.999]",
    "model.discriminator.batch_norm=true",
    "model.clusters=0",
    "share_fakes=false",
    "data.batch_size=64",
]
FEW = ["data.fraction=0.01", "data.repeat=100"]  # an epoch is 60,000 images still
ADA_FEW = ["augment=ada", "augment.images=100000", "augment.flips=false"]
DIGITS = ["data=digits", "data.repeat=40"]
ADA_DIGITS = ["augment=ada", "augment.images=50000", "augment.flips=false", "augment.target=0.4"]
FEW_DIGITS = ["data=digits", "data.fraction=0.1", "data.repeat=400"]
SETTINGS: dict[str, list[str]] = {
    "default": [],
    "plain DCGAN": PLAIN,
    "default, constant rate 1e-3": ["optimizer=adam", "optimizer.lr=1e-3"],
    "default, unconditional": ["model.num_classes=0"],
    "plain DCGAN, unconditional": [*PLAIN, "model.num_classes=0"],
    "default, no average": ["ema=none"],
    "default, no penalty": ["penalty=none"],
    "default, hinge": ["loss=hinge"],
    "default, batch 32": ["data.batch_size=32"],
    "mlp": ["model=mlp"],
    "600 images": FEW,
    "600 images, ADA": [*FEW, *ADA_FEW],
    "600 images, ADA target 0.4": [*FEW, *ADA_FEW, "augment.target=0.4"],
    "600 images, ADA target 0.2": [*FEW, *ADA_FEW, "augment.target=0.2"],
    "600 images, DiffAugment": [*FEW, "augment=diffaugment", "augment.policy=[translation]"],
    "150 digits": FEW_DIGITS,
    "150 digits, color": [*FEW_DIGITS, "augment=diffaugment", "augment.policy=[color]"],
    "150 digits, ADA": [*FEW_DIGITS, *ADA_DIGITS],
    "digits": DIGITS,
    "digits, ADA": [*DIGITS, *ADA_DIGITS],
    "digits, DiffAugment": [*DIGITS, "augment=diffaugment", "augment.policy=[translation]"],
}


def run(name: str, seed: int, asked: argparse.Namespace) -> Path:
    """Train one setting unless it was trained before; return its run folder."""
    target = asked.folder / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    if (target / "generator.safetensors").exists():
        return target
    constant = "optimizer=adam" in SETTINGS[name]
    command = [
        *(sys.executable, "train.py", *SETTINGS[name], f"seed={seed}", f"hydra.run.dir={target}"),
        *("trainer.accelerator=cpu", "callbacks.progress_bar=null"),
        *([] if "data=digits" in SETTINGS[name] else ["data.on_missing=error"]),
        f"trainer.max_epochs={1000 if constant else round(asked.epochs / asked.slice)}",
        f"trainer.limit_train_batches={asked.slice}",
        "+callbacks.clock._target_=benchmarks.clock.Clock",
        "+callbacks.clock.file=${run_dir}/clock.csv",
        f"+callbacks.clock.max_minutes={asked.minutes}",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return target


def curve(folder: Path) -> list[tuple[float, dict[str, float]]]:
    """Return (minutes of training, scores) of every scored epoch of a run."""
    seconds = read_clock(folder / "clock.csv")
    with (folder / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row.get("score/fid")]
    scored = {int(row["images_seen"]): row for row in rows}
    return [
        (
            seconds[images] / 60,
            {key: float(row[f"score/{key}"]) for key in ("fid", "precision", "recall")}
            | {"images": images},
        )
        for images, row in scored.items()
    ]


def at(points: list[tuple[float, dict[str, float]]], minutes: float) -> dict[str, float]:
    """Return the scores of the epoch that ended nearest to that time, none of it much later."""
    early = [point for point in points if point[0] <= 1.05 * minutes] or points[:1]
    return min(early, key=lambda point: abs(point[0] - minutes))[1]


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


def until(folders: dict[str, list[Path]], goals: list[float]) -> str:
    """Return a markdown table: the minutes after which an FID was reached first, of each seed."""
    lines = ["| setting | " + " | ".join(f"minutes to FID {goal:g}" for goal in goals) + " |"]
    lines.append("|---" * (len(goals) + 1) + "|")
    for name, runs in folders.items():
        cells = []
        for goal in goals:
            first = [next((t for t, s in curve(run) if s["fid"] <= goal), None) for run in runs]
            cells.append(", ".join("not reached" if t is None else f"{t:.1f}" for t in first))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--settings", default=";".join(SETTINGS), help="separated by ;")
    parser.add_argument("--epochs", type=int, default=12, help="of settings with a falling rate")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, a thread each")
    parser.add_argument("--slice", type=float, default=1.0, help="of an epoch, between two scores")
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "recipes")
    args = parser.parse_args()
    names = args.settings.split(";")
    jobs = [(name, int(seed)) for seed in args.seeds.split(",") for name in names]
    with ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(lambda job: run(*job, args), jobs))
    folders: dict[str, list[Path]] = {name: [] for name in names}
    for (name, _), folder in zip(jobs, done, strict=True):
        folders[name].append(folder)
    print(table(folders, sorted({1.0, 2.0, 5.0, args.minutes})), "\n")
    print(until(folders, [1, 0.3, 0.1, 0.055]))


if __name__ == "__main__":
    main()
