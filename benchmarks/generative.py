"""The table of generative models on MNIST, for docs/results.md, and a row of samples of each.

    python benchmarks/generative.py                             # all, 12 epochs, one thread each
    python benchmarks/generative.py --epochs 1 --data digits    # in minutes, to try it

Every model is trained by train.py and scored by one call of evaluate.py, all as their last
generator. Runs lie in outputs/generative/ and are not repeated if they are there. Seconds are CPU
time of training alone on one thread (benchmarks/clock.py).
"""

import argparse
import csv
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import matplotlib
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.clock import read_clock
from benchmarks.zoo import command
from gan_lightning.data.held_out import held_out
from gan_lightning.export.generator_file import load_generator
from gan_lightning.lecture.classifiers import by_evidence
from gan_lightning.lecture.trained import trained_module, trained_on
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.sampling.draw import sample
from gan_lightning.training import VAEModule

MODELS: dict[str, list[str]] = {
    "naive Bayes": ["model=naive_bayes"],
    "Gaussian mixture": ["model=gmm"],
    "hidden Markov model": ["model=hmm"],
    "VAE": ["model=vae", "model.num_classes=0"],
    "conditional VAE": ["model=vae"],
    "GAN of the lecture (MLP)": ["experiment=gan"],
    "DCGAN": ["experiment=dcgan"],
    "default": [],
}
FITTED = ("naive Bayes", "Gaussian mixture", "hidden Markov model")
TESTED = 2000  # test images that a VAE's evidence is estimated on
DRAWS = 64  # of its code, for each
SHOWN = 10  # samples in a row of the picture


def train(name: str, folder: Path, epochs: int, data: str) -> Path:
    """Train one model unless it was trained before; return its run folder."""
    run = folder / name.replace(" ", "-").replace("(", "").replace(")", "")
    if not (run / "generator.safetensors").exists():
        command(
            folder / f"{run.name}.log",
            "train.py",
            *MODELS[name],
            *(f"data={data}", f"hydra.run.dir={run}", "trainer.accelerator=cpu", "seed=0"),
            *([] if name in FITTED else [f"trainer.max_epochs={epochs}"]),
            *(["data.on_missing=error"] if data == "mnist" else []),
            "callbacks.progress_bar=null",
            "+callbacks.clock._target_=benchmarks.clock.Clock",
            "+callbacks.clock.file=${run_dir}/clock.csv",
        )
    return run


def score(runs: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Score all generators side by side; return the record of evaluate.py."""
    output = folder / "evaluation.json"
    files = ",".join(str(run / "generator.safetensors") for run in runs.values())
    asked = (f"generator={files}", f"output={output}", "overwrite=true", "accelerator=cpu")
    command(folder / "evaluation.log", "evaluate.py", *asked)
    return json.loads(output.read_text())


def last(run: Path, curve: str) -> float | None:
    """Return a curve's last point; None if there is none."""
    with (run / "metrics.csv").open(newline="") as file:
        found = [row[curve] for row in csv.DictReader(file) if row.get(curve)]
    return float(found[-1]) if found else None


@torch.no_grad()
def vae_on_test(run: Path) -> tuple[float | None, float]:
    """Return (accuracy by Bayes' rule, log p(x|y) in nats per pixel) of a VAE on test images."""
    module, data = cast(VAEModule, trained_module(run)), trained_on(run)
    images, y = held_out(data)[torch.arange(TESTED)]
    torch.manual_seed(0)
    pairs = zip(images.split(200), y.split(200), strict=True)
    found = torch.cat([module.log_evidence(to_unit_range(x), c, DRAWS) for x, c in pairs])
    nats = found.mean().item() / images[0].numel()
    if not module.generator.num_classes:
        return None, nats
    prior = torch.bincount(data.images.labels, minlength=data.num_classes) / len(data.images)
    right = by_evidence(module, prior, 0)(images) == y
    return right.float().mean().item(), nats


def row(name: str, run: Path, entry: dict[str, Any]) -> str:
    """Return a model's line of the table."""
    scores = {key: item["value"] for key, item in entry["scores"]["train"].items()}
    accuracy, nats = last(run, "accuracy/bayes"), last(run, "log_p(held-out)")
    if "VAE" in name:
        accuracy, nats = vae_on_test(run)
    cas = entry["scores"]["own"].get("cas", {}).get("value")
    size = (run / "generator.safetensors").stat().st_size / 1e6
    cells = (
        name,
        *(f"{scores[key]:.3f}" for key in ("fid", "precision", "recall")),
        *("" if share is None else f"{share:.1%}".replace("%", " %") for share in (cas, accuracy)),
        "" if nats is None else f"{nats:.3f}" + "*" * ("VAE" in name),
        f"{max(read_clock(run / 'clock.csv').values()):,.0f}",
        f"{size:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def table(runs: dict[str, Path], record: dict[str, Any]) -> str:
    """Return the table in markdown, with the floors as its last row."""
    heads = ("model", "FID", "precision", "recall", "CAS", "accuracy by Bayes' rule")
    heads += ("log p(x\\|y), nats a pixel", "seconds", "file, MB")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [
        row(name, run, entry)
        for (name, run), entry in zip(runs.items(), record["candidates"], strict=True)
    ]
    train, own = record["floors"]["train"], record["floors"]["own"]
    cells = [f"{train[key]['value']:.3f}" for key in ("fid", "precision", "recall")]
    cells.append(f"{own['cas']['value']:.1%}".replace("%", " %"))
    return "\n".join([*lines, f"| reals (floor) | {' | '.join(cells)} | | | | |"])


def draw(runs: dict[str, Path], output: Path) -> None:
    """Write a picture with a row of samples of every model, a label a column where there are."""
    figure, all_axes = plt.subplots(len(runs), figsize=(7.5, 0.62 * len(runs)))
    for axes, (name, run) in zip(all_axes, runs.items(), strict=True):
        generator = load_generator(run / "generator.safetensors")
        images, _ = sample(generator, SHOWN, 1, generator.metadata.labels)
        strip = torch.cat(list(to_uint8(images)), dim=2)[0]
        axes.imshow(strip, cmap="gray", vmin=0, vmax=255)
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        axes.set(xticks=[], yticks=[])
    figure.tight_layout(pad=0.3)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=110, bbox_inches="tight", pad_inches=0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=";".join(MODELS), help="separated by ;")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, a thread each")
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "generative")
    parser.add_argument("--picture", type=Path, default=None, help="default: in the folder")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    names = asked.models.split(";")
    with ThreadPoolExecutor(asked.jobs) as pool:
        done = pool.map(lambda name: train(name, asked.folder, asked.epochs, asked.data), names)
        runs = dict(zip(names, done, strict=True))
    print(table(runs, score(runs, asked.folder)))
    draw(runs, asked.picture or asked.folder / "samples.png")


if __name__ == "__main__":
    main()
