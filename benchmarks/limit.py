"""How close a step is to what the cores can do: FLOPs of a step, images/s, convolutions' rate.

    python benchmarks/limit.py [--threads 2] [--bf16] [OVERRIDES of the networks]

FLOPs are counted by torch (convolutions and matrix products, forward and backward, R1 on every
fourth step). The limit is the best rate of a 64 to 64 channel 3x3 convolution on the same threads.
The table says which kernels the time goes to. Needs a machine without other work.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.hand_written import networks, random_batches, steps

BATCH, CYCLE = 64, 4  # R1 comes every fourth step


def convolution_rate(bf16: bool) -> float:
    """Return GFLOP/s of a convolution that fits the cache, the best of several."""
    kind = torch.bfloat16 if bf16 else torch.float32
    x = torch.randn(BATCH, 64, 14, 14, dtype=kind).to(memory_format=torch.channels_last)
    w = torch.randn(64, 64, 3, 3, dtype=kind).to(memory_format=torch.channels_last)
    flops = 2 * BATCH * 64 * 64 * 9 * 14 * 14
    best = 0.0
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(20):
            F.conv2d(x, w, padding=1)
        best = max(best, 20 * flops / (time.perf_counter() - start))
    return best / 1e9


def training(overrides: list[str], bf16: bool) -> Iterator[int]:
    g, d = networks(overrides)
    images = torch.randint(0, 256, (10_000, *g.image_shape), dtype=torch.uint8)
    labels = torch.randint(0, max(g.num_classes, 1), (10_000,))
    autocast = _autocast(bf16)
    return steps(g, d, random_batches(images, labels, BATCH), 10**6, autocast)


def _autocast(bf16: bool) -> Callable[[], torch.autocast]:
    return lambda: torch.autocast("cpu", torch.bfloat16, bf16, cache_enabled=False)


def take(loop: Iterator[int], count: int) -> None:
    for _ in range(count):
        next(loop)


class Flops(TorchDispatchMode):
    """Adds up torch's own counts; its FlopCounterMode cannot see R1's gradient of a gradient."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            count = flop_registry[func._overloadpacket]
            self.total += count(*args, **(kwargs or {}), out_val=found)
        return found


def flops_per_image(loop: Iterator[int]) -> float:
    with Flops() as counter:
        take(loop, CYCLE)
    return counter.total / CYCLE / BATCH


def rate(loop: Iterator[int], rounds: int) -> list[float]:
    """Return images/s of several rounds."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        take(loop, 20 * CYCLE)
        found.append(20 * CYCLE * BATCH / (time.perf_counter() - start))
    return found


def kernels(loop: Iterator[int], rows: int) -> str:
    """Return a Markdown table of the operations with the most time of their own."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        take(loop, 4 * CYCLE)
    events = sorted(profile.key_averages(), key=lambda one: -one.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    lines = ["| operation | share of the time | calls a step |", "|---|---|---|"]
    for event in events[:rows]:
        share, calls = event.self_cpu_time_total / total, event.count / 4 / CYCLE
        lines.append(f"| `{event.key}` | {share:.1%} | {calls:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=12)
    asked, overrides = parser.parse_known_args()
    torch.set_num_threads(asked.threads)
    torch.set_flush_denormal(True)
    loop = training(overrides, asked.bf16)
    take(loop, 2 * CYCLE)
    flops = flops_per_image(loop)
    limit = convolution_rate(asked.bf16)
    rates = rate(loop, asked.rounds)
    middle = statistics.median(rates)
    print(
        f"{asked.threads} threads, {'bf16' if asked.bf16 else 'float32'}: "
        f"{middle:.0f} images/s ({min(rates):.0f} to {max(rates):.0f}), "
        f"{flops / 1e6:.1f} MFLOP an image, {middle * flops / 1e9:.0f} of {limit:.0f} GFLOP/s: "
        f"{middle * flops / 1e9 / limit:.0%}\n"
    )
    print(kernels(loop, asked.rows))


if __name__ == "__main__":
    main()
