"""What using the project costs: start-up, sampling, evaluating, memory. Prints a Markdown table.

    python benchmarks/use.py                              # all, three rounds
    python benchmarks/use.py --parts start --rounds 5     # of start, sample, known, new, memory

Each row is a whole command, from its start to its end or, where the row says so, to the first step.
Peak memory is the largest resident set of its process. The generator is the default's after a few
batches: what it draws does not matter here. MNIST is measured where $GAN_DATA_DIR names it; digits
as large as the default's otherwise. Seconds need a machine without other work; CPU seconds, of all
threads and of the whole command, hardly do.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SHORT = ("trainer.accelerator=cpu", "trainer.max_epochs=1", "callbacks.progress_bar=null")
NO_SCORES = "callbacks.scores=null"


class Spent(NamedTuple):
    """What one command took."""

    seconds: float
    cpu_seconds: float  # of all its threads
    megabytes: float
    images: int = 0  # that it drew or scored; 0: none are counted


def spend(*command: str, cache: Path | None = None) -> Spent:
    """Run a command of this Python; RuntimeError with what it said if it fails.

    A child's peak is at least the memory of the process that forks it, so nothing large is
    imported here.
    """
    environment = os.environ | ({"GAN_CACHE_DIR": str(cache)} if cache else {})
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen waits no more
        if child.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {said.read()[-2000:]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss, to MB
    return Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


class Bench:
    """The commands, in a folder that holds a generator of each data set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = ["digits", *(["mnist"] if os.environ.get("GAN_DATA_DIR") else [])]

    def generator(self, data: str) -> str:
        """Return a run folder, made when it is first asked for."""
        run = self.folder / data
        if not (run / "report.html").exists():
            self.train(data, 20, f"hydra.run.dir={run}", NO_SCORES, "resume=auto")
        return f"generator={run}"

    def train(self, data: str, batches: int, *more: str) -> Spent:
        limit = f"trainer.limit_train_batches={batches}"
        where = f"hydra.run.dir={self.folder}/run-{time.time_ns()}"
        return spend("train.py", f"data={data}", *SHORT, limit, where, *more)

    def first_step(self, data: str) -> Spent:
        file = self.folder / "stopwatch.json"
        watch = "+callbacks.stopwatch._target_=benchmarks.stopwatch.Stopwatch"
        begun = time.time()  # the clock that both processes have
        spent = self.train(data, 2, watch, f"+callbacks.stopwatch.file={file}")
        return spent._replace(seconds=json.loads(file.read_text())["first_step"] - begun)

    def draw(self, data: str, images: int) -> Spent:
        output = f"output={self.folder / 'drawn.npz'}"
        asked = (f"num_samples={images}", output, "overwrite=true", "accelerator=cpu")
        return spend("sample.py", self.generator(data), *asked)._replace(images=images)

    def grid(self, data: str) -> Spent:
        output = f"output={self.folder / 'grid.png'}"
        return spend("sample.py", self.generator(data), output, "overwrite=true", "accelerator=cpu")

    def score(self, data: str, cache: Path) -> Spent:
        output = f"output={self.folder / 'evaluation.json'}"
        asked = (self.generator(data), output, "overwrite=true", "accelerator=cpu")
        return spend("evaluate.py", *asked, cache=cache)._replace(images=10_000)

    def score_anew(self, data: str) -> Spent:
        with tempfile.TemporaryDirectory() as empty:
            return self.score(data, Path(empty))

    def score_again(self, data: str) -> Spent:
        if not (cache := self.folder / f"cache-{data}").exists():
            self.score(data, cache)
        return self.score(data, cache)


Row = tuple[str, str, Callable[[], Spent]]  # part, what is measured, how


def rows(bench: Bench) -> Iterator[Row]:
    """Yield all rows of the table."""
    last = bench.data[-1]
    yield "start", '`python -c "import gan_lightning"`', lambda: spend("-c", "import gan_lightning")
    yield "start", "`train.py --help`", lambda: spend("train.py", "--help")
    yield "start", "`sample.py`, a grid of 100", lambda: bench.grid(last)
    yield "start", f"`train.py`, {last}, to the first step", lambda: bench.first_step(last)
    yield "sample", "`sample.py`, 10,000 to NPZ", lambda: bench.draw(last, 10_000)
    yield "sample", "`sample.py`, 100,000 to NPZ", lambda: bench.draw(last, 100_000)
    for name in bench.data:
        anew, again = (lambda n=name: bench.score_anew(n)), (lambda n=name: bench.score_again(n))
        yield "new", f"`evaluate.py`, 10,000 of {name}, its first time", anew
        yield "known", f"`evaluate.py`, 10,000 of {name}, reals known", again
    yield "memory", f"`train.py`, {last}, an epoch of 200 batches", lambda: bench.train(last, 200)
    off = lambda: bench.train(last, 200, NO_SCORES)  # noqa: E731
    yield "memory", f"the same, `{NO_SCORES}`", off


def machine() -> str:
    """Return the processor, its cores, and the versions that matter."""
    found = Path("/proc/cpuinfo")
    lines = found.read_text().splitlines() if found.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    packages = ("torch", "lightning")
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in packages]
    cores = os.cpu_count() if not hasattr(os, "sched_getaffinity") else len(os.sched_getaffinity(0))
    return f"{models[0] if models else platform.machine()}, {cores} cores; {', '.join(versions)}"


def line(what: str, spent: list[Spent]) -> str:
    """Return a row: medians, and from the quickest to the slowest."""
    seconds, memory = [one.seconds for one in spent], [one.megabytes for one in spent]
    middle, images = statistics.median(seconds), spent[0].images
    cells = (
        *(what, f"{middle:.2f}", f"{min(seconds):.2f} to {max(seconds):.2f}"),
        f"{statistics.median(one.cpu_seconds for one in spent):.1f}",
        f"{images / middle:,.0f}" if images else "",
        f"{statistics.median(memory):,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="start,sample,known,new,memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keeps generators and caches between calls")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(asked.folder or Path(folder))
        print(f"{machine()}; medians of {asked.rounds}\n")
        print("| command | seconds | from, to | CPU seconds | images/s | peak MB |")
        print("|---" * 6 + "|")
        for part, what, measure in rows(bench):
            if part in asked.parts.split(","):
                print(line(what, [measure() for _ in range(asked.rounds)]), flush=True)


if __name__ == "__main__":
    main()
