"""How long threads should spin while they wait for each other: images/s by GOMP_SPINCOUNT.

    python benchmarks/threads.py [--rounds 3]   # alone, and beside a process that keeps a core busy

The loop of benchmarks/hand_written.py on all cores; 0 sleeps at once, 300000 is libgomp's own.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPINS = ("0", "1000", "10000", "300000")


def rate(spin: str) -> float:
    """Return images/s with threads that spin so often."""
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": spin}
    environment.pop("OMP_NUM_THREADS", None)
    command = [sys.executable, "benchmarks/hand_written.py", "--images", "4000"]
    done = subprocess.run(
        [*command, "--warm-up", "640"], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return float(done.stdout.split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print("| | " + " | ".join(SPINS) + " |\n|" + "---|" * (len(SPINS) + 1))
    for busy in (False, True):
        neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
        time.sleep(1)
        rounds = [[rate(spin) for spin in SPINS] for _ in range(asked.rounds)]
        cells = [
            f"{statistics.median(found):.0f} ({min(found):.0f} to {max(found):.0f})"
            for found in zip(*rounds, strict=True)
        ]
        print(f"| {'beside a busy process' if busy else 'alone'} | " + " | ".join(cells) + " |")
        if neighbour:
            neighbour.kill()


if __name__ == "__main__":
    main()
