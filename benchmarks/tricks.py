"""What each trick is worth: images/s of train.py with it and without, in turn.

    python benchmarks/tricks.py [--rounds 3] [--images 8000] [--only "default;one thread"]

Needs MNIST ($GAN_DATA_DIR) and a machine without other work.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.loop import by_train

CORES = len(os.sched_getaffinity(0))
PAPER = ["share_fakes=false"]
BF16 = ["trainer.precision=bf16-mixed"]
# name: overrides, GOMP_SPINCOUNT (how long threads spin; None: the package's own), threads
SETTINGS: dict[str, tuple[list[str], str | None, int]] = {
    "before: threads sleep at once": (PAPER, "0", CORES),
    "threads spin for a while": (PAPER, None, CORES),
    "... and shared fakes: the default": ([], None, CORES),
    "the default in bf16-mixed": (BF16, None, CORES),
    "the default, one thread": ([], None, 1),
    "the default in bf16-mixed, one thread": (BF16, None, 1),
    "the default, libgomp's own spinning": ([], "300000", CORES),
    "the default, batch 128": (["data.batch_size=128"], None, CORES),
    "the default, G of width 24": (["model.generator.width=24"], None, CORES),
    "the default, R1 every 16th step": (["penalty.every=16"], None, CORES),
    "the default, optimizers not fused": (
        ["++optimizer.generator.fused=false", "++optimizer.discriminator.fused=false"],
        None,
        CORES,
    ),
}


def rate(name: str, images: int) -> float:
    """Return images/s of the steps of one run."""
    overrides, spin, threads = SETTINGS[name]
    os.environ.pop("GOMP_SPINCOUNT", None)
    if spin is not None:
        os.environ["GOMP_SPINCOUNT"] = spin
    return by_train(images, threads, overrides)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=8_000)
    parser.add_argument("--only", default=";".join(SETTINGS), help="separated by ;")
    asked = parser.parse_args()
    names = asked.only.split(";")
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(asked.rounds):
        for name in names:
            rates[name].append(rate(name, asked.images))
            print(f"{name}: {rates[name][-1]:.0f}", file=sys.stderr, flush=True)
    first = statistics.median(rates[names[0]])
    print("| setting | images/s, median | range | against the first |\n|---|---|---|---|")
    for name, found in rates.items():
        middle, low, high = statistics.median(found), min(found), max(found)
        print(f"| {name} | {middle:.0f} | {low:.0f} to {high:.0f} | {middle / first:.2f} |")


if __name__ == "__main__":
    main()
