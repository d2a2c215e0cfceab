"""The loop of benchmarks/hand_written.py as CUDA graphs: no Python between a step's kernels."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.hand_written import END, EVERY, HALF_LIFE, LR, RAMP_UP, update


def graph_steps(
    g: nn.Module,
    d: nn.Module,
    images: Tensor,
    labels: Tensor,
    batch: int,
    total: int,
    autocast: Callable[[], torch.autocast],
) -> Iterator[int]:
    """Train as `hand_written.steps` does, each step a replayed graph; yield images seen.

    There are two graphs, with R1 and without. What changes from step to step is in tensors that
    they read: the rows of the batch, the learning rate, the weight of the new average.
    """
    average = copy.deepcopy(g).eval().requires_grad_(False)
    rate, weight = (torch.ones((), device=images.device) for _ in range(2))
    rate.fill_(0.0)  # what comes before the recording trains nothing
    adam = {"betas": (0.0, 0.99), "fused": True, "capturable": True}
    of_d = torch.optim.Adam(d.parameters(), rate, **adam)
    of_g = torch.optim.Adam(g.parameters(), rate, **adam)
    rows = torch.arange(batch, device=images.device)

    def body(penalised: bool) -> None:
        real = images.index_select(0, rows).float() / 127.5 - 1
        update(g, d, of_g, of_d, real, labels.index_select(0, rows), penalised, autocast)
        with torch.no_grad():
            for old, new in zip(average.parameters(), g.parameters(), strict=True):
                old.lerp_(new, weight)
            for old, new in zip(average.buffers(), g.buffers(), strict=True):
                old.copy_(new)

    graphs = record(body)
    seen = step = 0
    while True:
        order = torch.randperm(len(images), device=images.device)
        for first in range(0, len(images) - batch + 1, batch):
            rows.copy_(order[first : first + batch])
            falling = 0.5 * (1 + math.cos(math.pi * min(1, seen / total)))
            rate.fill_(LR * (END + (1 - END) * falling))
            seen += batch
            weight.fill_(1 - 0.5 ** (batch / min(HALF_LIFE, RAMP_UP * seen)))
            graphs[step % EVERY == 0].replay()
            step += 1
            yield seen


def record(body: Callable[[bool], None]) -> dict[bool, Any]:
    """Return a CUDA graph of the body for each of its two arguments."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for penalised in (True, False) * 3:
            body(penalised)
    torch.cuda.current_stream().wait_stream(beside)
    graphs = {}
    for penalised in (True, False):
        graphs[penalised] = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graphs[penalised]):
            body(penalised)
    return graphs


def marked(loop: Iterator[int]) -> Iterator[int]:
    """Tell the graphs of torch.compile where a step begins: the memory of the last one is free."""
    while True:
        torch.compiler.cudagraph_mark_step_begin()
        yield next(loop)


def wait(device: str) -> float:
    """Wait for all that a GPU has to do; return the time of day."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.time()
