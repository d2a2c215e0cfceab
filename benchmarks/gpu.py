"""Every figure of a GPU in one call, as a Markdown table for benchmarks/README.md.

    python benchmarks/gpu.py               # needs an NVIDIA GPU and MNIST ($GAN_DATA_DIR)
    python benchmarks/gpu.py --rehearse    # the same paths on a CPU, tiny; no figure of it counts

images/s of train.py by precision, batch and steps_per_call, beside loops written by hand: eager,
`torch.compile(mode="reduce-overhead")`, and the whole step as a CUDA graph, on whose rate the
ratios are. Utilisation is the median of what nvidia-smi says meanwhile. Then the seconds of a run
of 20 epochs with FID after each. A measurement that fails is a row that says so.
"""

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import torch

from benchmarks.cuda_graph import graph_steps, marked, wait
from benchmarks.gauge import gauge
from benchmarks.hand_written import networks, random_batches, steps
from benchmarks.loop import environment, timed

THREADS = 4
WARM_UP = 20  # steps before the clock starts: kernels are chosen, graphs recorded
HEAD = ("loop", "precision", "batch", "steps a call", "images/s", "of the graph", "utilisation")


class Size(NamedTuple):
    """How much is measured, and on what."""

    device: str
    images: int  # of a rate
    repeats: int
    data: int  # random images of the loops by hand
    precisions: tuple[str, ...]
    batches: tuple[int, ...]
    epochs: int
    overrides: tuple[str, ...]  # of train.py
    networks: tuple[str, ...]
    compiler: dict[str, Any]


GPU = Size(
    *("cuda", 100_000, 3, 60_000, ("32-true", "bf16-mixed"), (64, 256), 20),
    *(("trainer.accelerator=gpu", "data.on_missing=error"), (), {"mode": "reduce-overhead"}),
)
TINY = ("model.generator.width=4", "model.discriminator.width=4")
REHEARSAL = Size(
    *("cpu", 64, 1, 256, ("bf16-mixed",), (8,), 1),
    *(("trainer.accelerator=cpu", "data=digits", *TINY), TINY, {"backend": "aot_eager"}),
)


class Rate(NamedTuple):
    """What a loop reached."""

    images: float  # a second
    utilisation: float | None


def by_train(size: Size, precision: str, batch: int, per_call: int) -> Rate:
    """Return the rate of train.py, with logging, average, pictures and checkpoint."""
    skip = 2 * WARM_UP
    with gauge(size.device) as read:
        found = timed(
            size.images,
            THREADS,
            [
                *size.overrides,
                f"trainer.precision={precision}",
                f"data.batch_size={batch}",
                f"steps_per_call={per_call}",
                "data.repeat=4",
                f"trainer.limit_train_batches={skip + size.images // batch}",
                f"+callbacks.stopwatch.skip={skip}",
            ],
        )
    seconds, end = found["steps_seconds"], found["steps_end"]
    return Rate(found["images"] / seconds, read.median(end - seconds, end))


def by_hand(size: Size, kind: str, precision: str, batch: int) -> Rate:
    """Return the rate of a loop by hand: eager, compiled or a graph."""
    torch.manual_seed(0)
    device = torch.device(size.device)
    kind_of_bits = torch.bfloat16 if precision == "bf16-mixed" else None
    autocast = partial(
        torch.autocast, size.device, kind_of_bits, kind_of_bits is not None, cache_enabled=False
    )
    random = partial(torch.randint, device=device)
    images = random(0, 256, (size.data, 1, 28, 28), dtype=torch.uint8)
    labels = random(0, 10, (size.data,))
    g, d = (network.to(device) for network in networks([*size.networks]))
    total = WARM_UP * batch + size.images
    if kind == "graph":
        loop = graph_steps(g, d, images, labels, batch, total, autocast)
    else:
        loop = steps(g, d, random_batches(images, labels, batch), total, autocast)
    if kind == "compiled":
        torch.compiler.reset()
        g.compile(**size.compiler)
        d.compile(**size.compiler)
        loop = marked(loop)
    for _ in islice(loop, WARM_UP):
        pass
    with gauge(size.device) as read:
        start = wait(size.device)
        done = sum(1 for _ in islice(loop, size.images // batch))
        end = wait(size.device)
    return Rate(done * batch / (end - start), read.median(start, end))


def whole_run(size: Size) -> str:
    """Return a sentence on a run of train.py with FID after each epoch."""
    small = ("callbacks.scores.num_samples=100", "trainer.limit_train_batches=4")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "train.py", *size.overrides, f"hydra.run.dir={folder}/run"),
            *(f"trainer.max_epochs={size.epochs}", "trainer.precision=bf16-mixed"),
            *("steps_per_call=8", "callbacks.progress_bar=null"),
            *(small if size is REHEARSAL else ()),
        ]
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=environment(THREADS), capture_output=True, text=True
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        with Path(folder, "run", "metrics.csv").open(newline="") as file:
            fid = [row["score/fid"] for row in csv.DictReader(file) if row.get("score/fid")][-1]
    return (
        f"{size.epochs} epochs of train.py in bf16-mixed, steps_per_call=8, FID after each, from "
        f"the start of Python to the end: {seconds:.0f} s, FID {float(fid):.3f}."
    )


def attempt(what: str, measure: Callable[[], Any]) -> Any:
    """Return what was measured; None, and the reason on stderr, if that failed."""
    try:
        return measure()
    except Exception as error:  # the other figures are worth having
        said = getattr(error, "stderr", None) or str(error)
        print(f"{what} failed: {(said.strip().splitlines() or [type(error)])[-1]}", file=sys.stderr)
        return None


def medians(size: Size, what: str, measure: Callable[[], Rate]) -> Rate | None:
    """Return the median of several measurements; None if one failed."""
    found = [attempt(what, measure) for _ in range(size.repeats)]
    if None in found:
        return None
    used = [rate.utilisation for rate in found if rate.utilisation is not None]
    middle = statistics.median(rate.images for rate in found)
    return Rate(middle, statistics.median(used) if used else None)


def table(size: Size) -> Iterator[str]:
    """Yield the lines of the table as they are measured."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---" * len(HEAD) + "|"
    kinds = ("graph", "compiled", "eager")[size is REHEARSAL :]  # a CPU has no graphs
    for precision, batch in product(size.precisions, size.batches):
        loops = [(f"by hand, {k}", "", partial(by_hand, size, k, precision, batch)) for k in kinds]
        loops += [("train.py", n, partial(by_train, size, precision, batch, n)) for n in (1, 8)]
        graph = None
        for name, per_call, measure in loops:
            rate = medians(size, f"{name} {precision} {batch}", measure)
            graph = rate if name == "by hand, graph" else graph
            shown = "failed" if rate is None else f"{rate.images:,.0f}"
            share = f"{rate.images / graph.images:.2f}" if rate and graph else ""
            used = f"{rate.utilisation:.0f} %" if rate and rate.utilisation is not None else ""
            yield f"| {name} | {precision} | {batch} | {per_call} | {shown} | {share} | {used} |"


def machine(size: Size) -> str:
    name = torch.cuda.get_device_name() if size.device == "cuda" else "a CPU: a rehearsal"
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "lightning")]
    cuda = f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    return f"{name}, {', '.join(versions)}{cuda if size.device == 'cuda' else ''}; 32-true has TF32"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rehearse", action="store_true", help="tiny, on the CPU, without graphs")
    parser.add_argument("--repeats", type=int, help="medians of so many; 3")
    asked = parser.parse_args()
    if not asked.rehearse and not torch.cuda.is_available():
        words = "benchmarks/gpu.py needs an NVIDIA GPU, and torch finds none"
        print(f"{words}; --rehearse tries it on the CPU", file=sys.stderr)
        return 2
    size = REHEARSAL if asked.rehearse else GPU
    size = size._replace(repeats=asked.repeats) if asked.repeats else size
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    print(f"{machine(size)}; medians of {size.repeats}.\n", flush=True)
    for line in table(size):
        print(line, flush=True)
    print(f"\n{attempt('the whole run', partial(whole_run, size)) or 'The whole run failed.'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
