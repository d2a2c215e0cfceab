"""The default's training as a loop written by hand, in torch alone: what train.py is measured by.

    python benchmarks/hand_written.py --images 20000              # prints images/s

The same networks, penalty, optimizer, falling rate, shared fakes and average as `python train.py`;
no logging, pictures, scores, checkpoints, checks of finite values, resume or further devices.
"""

import argparse
import copy
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn
from torch.nn import functional as F

import gan_lightning  # noqa: F401  # first: it says how OpenMP's threads wait, as train.py does
from gan_lightning.config.build import build_module
from gan_lightning.config.schema import register, resolved

ROOT = Path(__file__).parents[1]

LR, END, HALF_LIFE, RAMP_UP, R1, EVERY = 2e-3, 0.01, 10_000, 0.1, 0.1, 4


Backward = Callable[[Tensor, nn.Module], None]  # of a loss, and the network that it moves


def plain(loss: Tensor, network: nn.Module) -> None:
    loss.backward()


def networks(overrides: list[str]) -> tuple[nn.Module, nn.Module]:
    """Return G and D as a config describes them, in the layout that train.py gives them."""
    register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("config", overrides=[*overrides, "run_dir=none"])
    module = build_module(resolved(config))
    return module.generator, module.discriminator  # type: ignore[return-value]


def update(
    g: nn.Module,
    d: nn.Module,
    of_g: torch.optim.Optimizer,
    of_d: torch.optim.Optimizer,
    real: Tensor,
    y: Tensor,
    penalised: bool,
    autocast: Callable[[], torch.autocast],
    backward: Backward = plain,
) -> None:
    """Update D, with R1 or without, then G on the same fakes."""
    d.requires_grad_(True)
    with autocast():
        fake = g(torch.randn(len(real), g.latent_dim, device=real.device), y)
        loss = F.softplus(-d(real, y)).mean() + F.softplus(d(fake.detach(), y)).mean()
    if penalised:
        real.requires_grad_(True)
        # Not d(real, y), which may be compiled: that has no second derivative.
        (slope,) = torch.autograd.grad(d.forward(real, y).sum(), real, create_graph=True)
        loss = loss + EVERY * 0.5 * R1 * slope.square().flatten(1).sum(1).mean()
    of_d.zero_grad()
    backward(loss, d)
    of_d.step()
    d.requires_grad_(False)
    with autocast():
        loss = F.softplus(-d(fake, y)).mean()
    of_g.zero_grad()
    backward(loss, g)
    of_g.step()


def steps(
    g: nn.Module,
    d: nn.Module,
    batches: Iterator[tuple[Tensor, Tensor]],
    total: int,
    autocast: Callable[[], torch.autocast],
    backward: Backward = plain,
) -> Iterator[int]:
    """Train; yield images seen after each step. `backward` takes a loss and whom it moves."""
    average = copy.deepcopy(g).eval().requires_grad_(False)
    adam = {"betas": (0.0, 0.99), "fused": True}
    of_d = torch.optim.Adam(d.parameters(), LR, **adam)
    of_g = torch.optim.Adam(g.parameters(), LR, **adam)
    seen = 0
    for step, (real, y) in enumerate(batches):
        rate = LR * (END + (1 - END) * 0.5 * (1 + math.cos(math.pi * min(1, seen / total))))
        of_d.param_groups[0]["lr"] = of_g.param_groups[0]["lr"] = rate
        update(g, d, of_g, of_d, real, y, step % EVERY == 0, autocast, backward)
        seen += len(real)
        keep = 0.5 ** (len(real) / min(HALF_LIFE, RAMP_UP * seen))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(g.parameters()), 1 - keep)
            for old, new in zip(average.buffers(), g.buffers(), strict=True):
                old.copy_(new)
        yield seen


def random_batches(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of shuffled epochs for ever, scaled to [-1, 1], on the images' device."""
    while True:
        order = torch.randperm(len(images), device=images.device)
        for first in range(0, len(images) - size + 1, size):
            rows = order[first : first + size]
            yield images[rows].float() / 127.5 - 1, labels[rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--warm-up", type=int, default=3_200, help="images before the clock starts")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("overrides", nargs="*", help="of the networks, as of train.py")
    asked = parser.parse_args()
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    images = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8)  # as fast as digits
    labels = torch.randint(0, 10, (60_000,))
    g, d = networks(asked.overrides)
    start = 0.0
    batches = random_batches(images, labels, asked.batch_size)
    total = asked.warm_up + asked.images
    for seen in steps(
        g, d, batches, total, lambda: torch.autocast("cpu", torch.bfloat16, asked.bf16)
    ):
        if not start and seen >= asked.warm_up:
            start, first = time.perf_counter(), seen
        if seen >= total:
            break
    threads = os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())
    print(f"{(seen - first) / (time.perf_counter() - start):.1f} images/s, {threads} threads")


if __name__ == "__main__":
    main()
