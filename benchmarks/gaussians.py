"""Train methods on 25 Gaussians and write gaussians.md: modes found and the share of good samples.

    python benchmarks/gaussians.py        # 5,000 steps, seeds 0 and 1, a minute a row and seed

The task, networks and score are those of the conformance suite (benchmarks/toys.py).
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

from benchmarks.toys import GridScore, train_on_grid
from gan_lightning.losses import (
    Hinge,
    LeastSquares,
    Loss,
    NonSaturating,
    RelativisticAverage,
    RelativisticPaired,
    Wasserstein,
)
from gan_lightning.penalties import DRAGAN, R1, R1R2, WGANGP, NoPenalty, Penalty

METHODS: dict[str, tuple[Loss, Penalty]] = {
    "non-saturating": (NonSaturating(), NoPenalty()),
    "non-saturating, R1 0.03": (NonSaturating(), R1(0.03)),
    "non-saturating, DRAGAN 1": (NonSaturating(), DRAGAN(1.0)),
    "hinge, R1 0.03": (Hinge(), R1(0.03)),
    "least squares": (LeastSquares(), NoPenalty()),
    "least squares, R1 0.03": (LeastSquares(), R1(0.03)),
    "Wasserstein, WGAN-GP 1": (Wasserstein(), WGANGP(1.0)),
    "relativistic average, R1 0.03": (RelativisticAverage(), R1(0.03)),
    "RpGAN, R1 + R2 0.03": (RelativisticPaired(), R1R2(0.03)),
}
HEAD = """# 25 Gaussians, method by method

Modes found of 25 (Srivastava et al. 2017) and share of good samples of 2,500, after {steps:,}
steps of 256 points, seeds {seeds}; the same small networks, Adam (2e-3 falling to 0, betas 0 and
0.9) and one D step for all. A narrow comparison: no method has its own settings, WGAN-GP not its
five D steps.
Uniform noise scores 25 and 0.07. torch {torch}, CPU.

```
python benchmarks/gaussians.py --steps {steps} --seeds {seeds}
```

| loss, penalty | modes, by seed | good samples, by seed | mean |
|---|---|---|---|
"""


def one(name: str, steps: int, seed: int) -> GridScore:
    """Train one method on one thread."""
    torch.set_num_threads(1)
    return train_on_grid(*METHODS[name], steps=steps, seed=seed)


def main() -> None:
    """Train all and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    with ProcessPoolExecutor(args.jobs) as pool:
        found = {n: [pool.submit(one, n, args.steps, seed) for seed in seeds] for n in METHODS}
        scores = {name: [future.result() for future in futures] for name, futures in found.items()}
    page = HEAD.format(steps=args.steps, seeds=args.seeds, torch=torch.__version__)
    for name, row in sorted(scores.items(), key=lambda s: -mean(x.high_quality for x in s[1])):
        modes = ", ".join(str(score.modes) for score in row)
        shares = ", ".join(f"{score.high_quality:.2f}" for score in row)
        page += f"| {name} | {modes} | {shares} | {mean(x.high_quality for x in row):.2f} |\n"
    (ROOT / "benchmarks" / "gaussians.md").write_text(page)


if __name__ == "__main__":
    main()
