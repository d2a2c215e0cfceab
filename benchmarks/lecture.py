"""Make the pictures of docs/lecture.md.

    python benchmarks/lecture.py --output docs/images/lecture     # some minutes

Each is made by commands of that page; runs lie in outputs/lecture/ and are not repeated if they
are there.
"""

import argparse
import csv
import shutil
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.zoo import command

FOLDER = ROOT / "outputs" / "lecture"
PANELS = {  # title: curves, and where a D that cannot tell would be
    "costs": ({"loss/D": "of D", "loss/G": "of G"}, 1.386),  # 2 log 2
    "D's mean answer": ({"D(real)": "D(real)", "D(fake)": "D(fake)"}, 0.5),
    "norm of G's gradient": ({"grad_norm/G": "of G"}, None),
}
SAVED = {"sample.py seed=1": ("seed=1",), "sample.py label=3": ("label=3",)}


def trained(name: str, *overrides: str) -> Path:
    """Return the folder of a run, trained unless it was before."""
    run = FOLDER / name
    if not (run / "generator.safetensors").exists():
        quiet = (f"hydra.run.dir={run}", "trainer.accelerator=cpu", "callbacks.progress_bar=null")
        command(FOLDER / f"{name}.log", "train.py", *overrides, *quiet)
    return run


def noise(run: Path, output: Path) -> None:
    """Show samples of the same latents after the first epoch, the third and the last."""
    pictures = sorted((run / "samples").glob("*.png"))
    chosen = [pictures[i] for i in sorted({0, min(2, len(pictures) - 1), len(pictures) - 1})]
    figure, all_axes = plt.subplots(1, len(chosen), figsize=(3.2 * len(chosen), 3.5))
    for axes, picture in zip(all_axes, chosen, strict=True):
        axes.imshow(plt.imread(picture), cmap="gray")
        axes.set_title(f"{int(picture.stem):,} images seen", fontsize=9)
        axes.axis("off")
    figure.tight_layout(pad=0.4)
    figure.savefig(output, dpi=100)


def cost(runs: dict[str, Path], output: Path) -> None:
    """Show costs, D's mean answers and G's gradient over images seen, a row for each run."""
    size = {"figsize": (11, 5), "layout": "constrained", "sharey": "col"}
    figure, grid = plt.subplots(len(runs), len(PANELS), **size)
    for (name, run), row in zip(runs.items(), grid, strict=True):
        with (run / "metrics.csv").open(newline="") as file:
            points = [point for point in csv.DictReader(file) if point["loss/D"]]
        seen = [float(point["images_seen"]) / 1000 for point in points]
        for axes, (title, (curves, level)) in zip(row, PANELS.items(), strict=True):
            for key, label in curves.items():
                axes.plot(seen, [float(point[key]) for point in points], label=label)
            if level:
                axes.axhline(level, color="grey", linestyle=":")
            axes.set_title(f"{name}: {title}", fontsize=10)
            axes.legend(fontsize=8)
        row[-1].set_ylim(bottom=0)
    for axes in grid[-1]:
        axes.set_xlabel("thousand images seen")
    figure.savefig(output, dpi=90)


def saved(run: Path, output: Path) -> None:
    """Show what sample.py draws from a run's file, without anything else of it."""
    alone = FOLDER / "alone.safetensors"
    shutil.copyfile(run / "generator.safetensors", alone)
    figure, all_axes = plt.subplots(1, len(SAVED), figsize=(6.4, 3.5))
    for (title, words), axes in zip(SAVED.items(), all_axes, strict=True):
        grid = FOLDER / "saved.png"
        asked = (f"generator={alone}", f"output={grid}", "overwrite=true")
        command(FOLDER / "saved.log", "sample.py", *asked, *words)
        axes.imshow(plt.imread(grid), cmap="gray")
        axes.set_title(title, fontsize=9)
        axes.axis("off")
    figure.tight_layout(pad=0.4)
    figure.savefig(output, dpi=100)


def latent_map(run: Path, output: Path) -> None:
    """Copy the last map of a VAE's codes."""
    shutil.copyfile(max((run / "samples" / "latent_map").glob("*.png")), output)


def marks(run: Path, output: Path) -> None:
    """Show generated students beside the real ones: the picture of evaluate.py."""
    record = FOLDER / "marks.json"
    rows = ("data=table", f"data.root={FOLDER / 'marks.csv'}", "accelerator=cpu")
    asked = (f"generator={run}", f"output={record}", "overwrite=true")
    command(FOLDER / "marks.log", "evaluate.py", *asked, *rows)
    shutil.copyfile(record.with_suffix(".png"), output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "lecture")
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    lecture = ("-m", "gan_lightning.lecture")
    table = FOLDER / "marks.csv"
    for name in ("plane", "joint", "steps", "scaling"):
        picture = ("--picture", str(asked.output / f"{name}.png"))
        command(FOLDER / f"{name}.log", *lecture, name, *picture)
    command(FOLDER / "marks.log", *lecture, "marks", "--output", str(table), "--overwrite")
    digits = trained("digits", "experiment=quickstart", "trainer.max_epochs=12")
    noise(digits, asked.output / "noise.png")
    judge = ("mode=judge", "train_judge=true", f"output={asked.output / 'judge.png'}")
    asked_of = (f"generator={digits}", "overwrite=true", "accelerator=cpu")
    command(FOLDER / "judge.log", "sample.py", *asked_of, *judge)
    saved(digits, asked.output / "saved.png")
    minimax = trained("minimax", "experiment=quickstart", "trainer.max_epochs=12", "loss=minimax")
    cost({"non-saturating": digits, "minimax": minimax}, asked.output / "cost.png")
    plane = ("model=vae", "model.latent_dim=2", "data=mnist", "trainer.max_epochs=4")
    latent_map(trained("plane", *plane), asked.output / "latent_map.png")
    students = trained("students", "data=table", f"data.root={table}")
    marks(students, asked.output / "marks.png")


if __name__ == "__main__":
    main()
