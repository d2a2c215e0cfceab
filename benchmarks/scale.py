"""What 10^9 images of 64 pixels would take: costs measured here, times counts on paper.

    python benchmarks/scale.py [--images 1000000000] [OVERRIDES of the networks]

DCGAN for 64 pixels in colour, width 64, of 1,000 classes, unless overridden: FLOPs, parameters,
images/s of this machine, a checkpoint's size and how long it takes to write and read, and what
10,000 samples of FID cost. Nothing is trained. Needs a machine without other work.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch

from benchmarks.hand_written import networks
from benchmarks.limit import BATCH, CYCLE, flops_per_image, take, training
from gan_lightning.metrics.features.classifier import DigitClassifier, FeatureNetwork

NETWORKS = [
    *("data=image_folder", "data.resolution=64", "data.channels=3", "data.num_classes=1000"),
    *("model.generator.width=64", "model.discriminator.width=64"),
]
SCORED = 10_000


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def checkpoint(g: torch.nn.Module, d: torch.nn.Module) -> dict[str, Any]:
    """Return what weighs in a checkpoint: G, its average, D, and Adam's two moments of both."""
    weights = [*g.state_dict().values(), *d.state_dict().values()]
    average = [tensor.clone() for tensor in g.state_dict().values()]
    moments = [torch.zeros_like(p) for net in (g, d) for p in net.parameters() for _ in range(2)]
    return {"weights": weights, "average": average, "moments": moments}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10**9)
    asked, overrides = parser.parse_known_args()
    overrides = [*NETWORKS, *overrides]
    torch.set_flush_denormal(True)
    g, d = networks(overrides)
    count = [sum(p.numel() for p in net.parameters()) for net in (g, d)]
    print(f"parameters: G {count[0]:,}, D {count[1]:,}")
    loop = training(overrides, bf16=False)
    take(loop, 1)
    flops = flops_per_image(loop)
    steps, _ = seconds(lambda: take(loop, CYCLE))
    print(f"a step: {flops / 1e9:.2f} GFLOP an image, {CYCLE * BATCH / steps:.0f} images/s here")
    print(f"{asked.images:,} images: {flops * asked.images:.2e} FLOP")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "last.ckpt")
        kept = checkpoint(g, d)
        write, _ = seconds(lambda: torch.save(kept, file))
        read, _ = seconds(lambda: torch.load(file))
        size = file.stat().st_size / 1e6
    print(f"a checkpoint: {size:.0f} MB, written in {write:.2f} s, read in {read:.2f} s")
    z, y = torch.randn(SCORED, g.latent_dim), torch.randint(0, max(g.num_classes, 1), (SCORED,))
    g.eval()
    with torch.no_grad():
        pairs = [*zip(z.split(100), y.split(100), strict=True)]
        draw, parts = seconds(lambda: [g(*pair) for pair in pairs])
    features = FeatureNetwork(DigitClassifier(in_channels=3), "0" * 8, {})
    embed, _ = seconds(lambda: [features.embed(part) for part in parts])
    print(f"scores of {SCORED:,} samples: drawn in {draw:.0f} s, embedded in {embed:.0f} s")
    raw = asked.images * g.image_shape[0] * g.image_shape[1] * g.image_shape[2]
    print(f"pixels of {asked.images:,} images: {raw / 1e12:.1f} TB")


if __name__ == "__main__":
    main()
