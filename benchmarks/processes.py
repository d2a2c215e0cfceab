"""One process and two: images/s, FID after as many images, and what gradients cost on their way.

    python benchmarks/processes.py                                # all three, two cores to itself
    python benchmarks/processes.py --parts rate --rounds 3        # one of rate, ways, fid

`rate` is train.py with all cores as threads of one process, with one thread, and as two processes
of a thread each (`trainer.devices=2 data.batch_size=32`: the same global batch of 64). `fid` is the
score of the first and the last of these after --images images, a run for each seed. `ways` is the
default's loop in plain torch in two processes on gloo, with the gradients averaged by

- `one DDP`: one around a module that holds G and D, find_unused_parameters=True;
- `two DDP`: one around each network, without it;
- `all_reduce`: no DDP, one call for the gradients of each update, as train.py does;
- `nothing`: each process by itself, which is no training, but the most that there is to win.

Rounds are interleaved, and medians printed. Needs MNIST ($GAN_DATA_DIR); no other work on the
machine but for `fid`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import torch
from lightning.pytorch.overrides.distributed import prepare_for_backward
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks.hand_written import networks, random_batches, steps
from benchmarks.limit import CYCLE, take
from benchmarks.loop import by_train
from benchmarks.speedrun import fid, run
from gan_lightning.system.signals import skip_finalization
from gan_lightning.training.devices import average_gradients

CORES = len(os.sched_getaffinity(0))
WORLD, BATCH = 2, 64
TWO = [f"trainer.devices={WORLD}", f"data.batch_size={BATCH // WORLD}"]
SETUPS: dict[str, tuple[int, list[str]]] = {
    f"1 process, {CORES} threads": (CORES, []),
    "1 process, 1 thread": (1, []),
    f"{WORLD} processes, 1 thread each": (1, TWO),
}
Backward = Callable[[Tensor, nn.Module], None]
ONE_DDP, TWO_DDP, ALL_REDUCE, NOTHING = "one DDP", "two DDP", "all_reduce", "nothing"


def rates(rounds: int, images: int, overrides: list[str]) -> dict[str, list[float]]:
    """Return images/s of train.py, of several rounds."""
    found: dict[str, list[float]] = {name: [] for name in SETUPS}
    for _ in range(rounds):
        for name, (threads, more) in SETUPS.items():
            found[name].append(by_train(images, threads, [*overrides, *more])[0])
    return found


def scores(folder: Path, seeds: int, images: int, overrides: list[str]) -> dict[str, list[float]]:
    """Return FID of one and of two processes after as many images; runs that are there are kept."""
    length = ["trainer.max_epochs=1", f"trainer.limit_train_batches={images // BATCH}", *overrides]
    setups = {"1 process": length, f"{WORLD} processes": [*length, *TWO]}

    def score(name: str, seed: int) -> float:
        return fid(run(folder / f"{name.replace(' ', '-')}-{images}-{seed}", seed, setups[name]))[0]

    with ThreadPoolExecutor(CORES) as pool:
        runs = {n: [pool.submit(score, n, seed) for seed in range(seeds)] for n in setups}
        return {name: [one.result() for one in ends] for name, ends in runs.items()}


def backward_by(way: str, g: nn.Module, d: nn.Module) -> Backward:
    """Return a backward pass after which the gradients are the mean over the processes."""
    if way == NOTHING:
        return lambda loss, network: loss.backward()
    if way == ALL_REDUCE:
        return reduced_backward
    if way == ONE_DDP:
        one = DistributedDataParallel(nn.ModuleList([g, d]), find_unused_parameters=True)
        around = {g: one, d: one}
    else:
        around = {network: DistributedDataParallel(network) for network in (g, d)}

    def backward(loss: Tensor, network: nn.Module) -> None:
        prepare_for_backward(around[network], loss)  # so Lightning calls it for several optimizers
        loss.backward()

    return backward


def reduced_backward(loss: Tensor, network: nn.Module) -> None:
    loss.backward()
    average_gradients([*network.parameters()])


def loop(way: str, overrides: list[str], rank: int) -> tuple[Iterator[int], nn.Module]:
    """Return a training that begins alike in all processes and ways, and its generator."""
    torch.manual_seed(0)
    g, d = networks(overrides)
    torch.manual_seed(rank)
    images = torch.randint(0, 256, (10_000, 1, 28, 28), dtype=torch.uint8)
    batches = random_batches(images, torch.randint(0, 10, (10_000,)), BATCH // WORLD)
    plain = lambda: torch.autocast("cpu", enabled=False)  # noqa: E731
    return steps(g, d, batches, 10**6, plain, backward_by(way, g, d)), g


def alike(g: nn.Module) -> bool:
    """Whether all processes have the same weights."""
    mine = torch.cat([p.detach().flatten() for p in g.parameters()])
    first = mine.clone()
    distributed.broadcast(first, src=0)
    differs = (mine != first).any().float()
    distributed.all_reduce(differs)
    return differs.item() == 0


def process(rank: int, folder: str, rounds: int, cycles: int, overrides: list[str]) -> None:
    """Be one of the processes; the first one writes images/s of each way and round."""
    skip_finalization()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    store = (Path(folder) / "store").as_uri()
    distributed.init_process_group("gloo", store, rank=rank, world_size=WORLD)
    ways = (ONE_DDP, TWO_DDP, ALL_REDUCE, NOTHING)
    loops = {way: loop(way, overrides, rank) for way in ways}
    for way, (training, g) in loops.items():
        take(training, 2 * CYCLE)
        assert alike(g) == (way != NOTHING), way
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (training, _) in loops.items():
            distributed.barrier()
            start = time.perf_counter()
            take(training, cycles * CYCLE)
            distributed.barrier()
            found[way].append(cycles * CYCLE * BATCH / (time.perf_counter() - start))
    if rank == 0:
        torch.save(found, Path(folder, "found.pt"))


def ways(rounds: int, cycles: int, overrides: list[str]) -> dict[str, list[float]]:
    """Return images/s of both processes together, by the way of their gradients."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(process, (folder, rounds, cycles, overrides), WORLD)
        return torch.load(Path(folder, "found.pt"))


def table(title: str, found: dict[str, list[float]], digits: int) -> None:
    """Print a Markdown table of medians and spreads, beside the first row."""
    print(f"\n| {title} | median | from | to | to the first |", "|---|---|---|---|---|", sep="\n")
    first = statistics.median(next(iter(found.values())))
    for name, values in found.items():
        middle = statistics.median(values)
        cells = " | ".join(f"{x:.{digits}f}" for x in (middle, min(values), max(values)))
        print(f"| {name} | {cells} | {middle / first:.3f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="rate,ways,fid")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=20, help="of four steps, in a round of ways")
    parser.add_argument("--rate-images", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=60_000, help="after which FID is taken")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "processes")
    asked, overrides = parser.parse_known_args()
    parts = asked.parts.split(",")
    if "rate" in parts:
        table("images/s of train.py", rates(asked.rounds, asked.rate_images, overrides), 0)
    if "ways" in parts:
        networks_alone = [item for item in overrides if item.startswith(("model", "data"))]
        table("images/s of a loop", ways(asked.rounds, asked.cycles, networks_alone), 0)
    if "fid" in parts:
        found = scores(asked.folder, asked.seeds, asked.images, overrides)
        table(f"FID after {asked.images:,} images", found, 3)


if __name__ == "__main__":
    main()
