"""train.py against a loop written by hand: images/s of both, alternately, and their ratio.

    python benchmarks/loop.py [--pairs 5] [--images 20000] [--threads 2] [OVERRIDES of train.py]

Same networks, batch, threads, waiting policy and precision. train.py logs, averages, draws its
pictures and writes its checkpoint at the end; live scores are off, for the other loop has none.
Needs MNIST ($GAN_DATA_DIR) and a machine without other work.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(threads: int) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": str(threads)}


def timed(images: int, threads: int, overrides: list[str]) -> dict[str, float]:
    """Return what benchmarks/stopwatch.py measures of train.py."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stopwatch.json")
        command = [
            *(sys.executable, "train.py", "trainer.accelerator=cpu", "trainer.max_epochs=1"),
            *(
                "callbacks.scores=null",
                "callbacks.progress_bar=null",
                f"hydra.run.dir={folder}/run",
            ),
            f"trainer.limit_train_batches={(images + 3200) // 64}",
            "+callbacks.stopwatch._target_=benchmarks.stopwatch.Stopwatch",
            f"+callbacks.stopwatch.file={file}",
            *overrides,
        ]
        subprocess.run(
            command, cwd=ROOT, env=environment(threads), check=True, stdout=subprocess.DEVNULL
        )
        return json.loads(file.read_text())


def by_train(images: int, threads: int, overrides: list[str]) -> tuple[float, float]:
    """Return images/s of train.py: of the steps, and with the end of the epoch."""
    found = timed(images, threads, overrides)
    return found["images"] / found["steps_seconds"], found["images"] / found["seconds"]


def by_hand(images: int, threads: int, overrides: list[str]) -> float:
    """Return images/s of benchmarks/hand_written.py."""
    command = [sys.executable, "benchmarks/hand_written.py", "--images", str(images)]
    if "trainer.precision=bf16-mixed" in overrides:
        command.append("--bf16")
    networks = [item for item in overrides if item.startswith(("model", "data"))]
    done = subprocess.run(
        [*command, *networks], cwd=ROOT, env=environment(threads), check=True, capture_output=True
    )
    return float(done.stdout.split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked, overrides = parser.parse_known_args()
    size = (asked.images, asked.threads, overrides)
    pairs = []
    for _ in range(asked.pairs):
        pairs.append((by_hand(*size), *by_train(*size)))
        hand, steps, whole = pairs[-1]
        print(
            f"by hand {hand:.0f}, train.py {steps:.0f} ({steps / hand:.3f}), "
            f"with the epoch's end {whole:.0f} ({whole / hand:.3f})",
            flush=True,
        )
    middle = [statistics.median(values) for values in zip(*pairs, strict=True)]
    ratio = statistics.median(steps / hand for hand, steps, _ in pairs)
    spread = sorted(steps / hand for hand, steps, _ in pairs)
    print(
        f"{asked.threads} threads, medians of {asked.pairs}: by hand {middle[0]:.0f} images/s, "
        f"train.py {middle[1]:.0f}, with the epoch's end {middle[2]:.0f}; "
        f"ratio {ratio:.3f} ({spread[0]:.3f} to {spread[-1]:.3f})"
    )


if __name__ == "__main__":
    main()
