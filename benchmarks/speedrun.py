"""The speedrun: seconds of training until the generator's FID is 0.1 (docs/speedrun.md).

    python benchmarks/speedrun.py [--seeds 5] [OVERRIDES of train.py]

Two measurements, because a shared machine can do only one of them at a time. Quality: a run for
each seed of `python train.py trainer.max_epochs=N OVERRIDES`, as many at once as there are cores,
and its FID at the end: the median has to be 0.1 or less. Speed: the images/s of that command alone
on all cores, the median of three, which gives the seconds that the images take. The plain DCGAN
baseline is run beside it on as many images, once. Needs MNIST ($GAN_DATA_DIR). Runs that are there
are not repeated.
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
from benchmarks.loop import by_train
from benchmarks.recipes import PLAIN
from gan_lightning.runs.record import read_record

TARGET, EPOCHS = 0.1, 5
CORES = len(os.sched_getaffinity(0))


def run(folder: Path, seed: int, overrides: list[str]) -> Path:
    """Train once on one thread, unless it is done; go on with a run that was stopped."""
    sessions = read_record(folder).get("sessions")
    if not sessions or sessions[-1].get("status") != 0:
        command = [
            *(sys.executable, "train.py", "trainer.accelerator=cpu", "data.on_missing=error"),
            *("callbacks.progress_bar=null", "callbacks.doctor=null", "resume=auto"),
            *(f"trainer.max_epochs={EPOCHS}", *overrides, f"seed={seed}"),
            f"hydra.run.dir={folder}",
        ]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return folder


def fid(folder: Path) -> tuple[float, int]:
    """Return (FID at the end, images seen) of a run."""
    with (folder / "metrics.csv").open(newline="") as file:
        last = [row for row in csv.DictReader(file) if row.get("score/fid")][-1]
    return float(last["score/fid"]), int(float(last["images_seen"]))


def speed(overrides: list[str], images: int) -> list[float]:
    """Return images/s of train.py alone on all cores, three times."""
    return [by_train(images, CORES, overrides)[0] for _ in range(3)]


def measure(name: str, seeds: range, asked: argparse.Namespace, overrides: list[str]) -> None:
    """Print a row of the table: what was reached, and how long it takes."""
    with ThreadPoolExecutor(asked.jobs) as pool:
        places = [asked.folder / name / str(seed) for seed in seeds]
        ends = [fid(done) for done in pool.map(lambda p, s: run(p, s, overrides), places, seeds)]
    scores, images = [score for score, _ in ends], ends[0][1]
    reached = statistics.median(scores) <= TARGET
    rates = speed(overrides, asked.rate_images) if asked.rate_images else []
    seconds = f"{images / statistics.median(rates):.0f} s" if rates else "not measured"
    print(
        f"| {name} | {images:,} | {statistics.median(scores):.3f} "
        f"({min(scores):.3f} to {max(scores):.3f}) | {'yes' if reached else 'no'} "
        f"| {statistics.median(rates) if rates else 0:.0f} | {seconds} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="entry", help="of its runs' folder")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=CORES, help="runs at once")
    parser.add_argument("--baseline-seeds", type=int, default=1, help="0: without the baseline")
    parser.add_argument("--rate-images", type=int, default=20_000, help="0: measure no speed")
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "speedrun")
    asked, overrides = parser.parse_known_args()
    print(f"| entry | images | FID of {asked.seeds} seeds | <= {TARGET} | images/s | training |")
    print("|---|---|---|---|---|---|")
    measure(asked.name, range(asked.seeds), asked, overrides)
    epochs = [item for item in overrides if item.startswith("trainer.max_epochs")]
    if asked.baseline_seeds:
        measure("plain-DCGAN", range(asked.baseline_seeds), asked, [*PLAIN, *epochs])


if __name__ == "__main__":
    main()
