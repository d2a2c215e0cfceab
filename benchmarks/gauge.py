"""How busy a GPU is meanwhile, by what nvidia-smi says."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Gauge:
    """Reads the GPU's utilisation five times a second while it is open."""

    def __init__(self, device: str) -> None:
        self.seen: list[tuple[float, float]] = []  # time of day, per cent
        self.device = device

    def median(self, start: float, end: float) -> float | None:
        """Return the median between two times of day; None if nothing was read."""
        values = [value for moment, value in self.seen if start <= moment <= end]
        return statistics.median(values) if values else None


@contextmanager
def gauge(device: str) -> Iterator[Gauge]:
    """Open a gauge; on a CPU, or without nvidia-smi, it reads nothing."""
    found = Gauge(device)
    ask = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    ask += ["-lms", "200", "-i", os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]]
    with tempfile.TemporaryFile("w+") as said:
        began, process = time.time(), None
        if device == "cuda":
            try:
                process = subprocess.Popen(ask, stdout=said, stderr=subprocess.DEVNULL)
            except FileNotFoundError:
                print("nvidia-smi is not there: no utilisation", file=sys.stderr)
        try:
            yield found
        finally:
            if process:
                process.terminate()
                process.wait()
                said.seek(0)
                values = [float(line) for line in said.read().split() if line.isdecimal()]
                spacing = (time.time() - began) / max(1, len(values))
                found.seen = [(began + k * spacing, value) for k, value in enumerate(values)]
