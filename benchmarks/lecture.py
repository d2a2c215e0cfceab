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
CURVES = {
    "cost J": {"loss/D": "of D, reals and fakes", "loss/G": "of G"},
    "D's mean answer": {"D(real)": "D(real)", "D(fake)": "D(fake)"},
}


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


def cost(run: Path, output: Path) -> None:
    """Show both costs, and D's mean answers, over images seen."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["loss/D"]]
    seen = [float(row["images_seen"]) / 1000 for row in rows]
    figure, all_axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for axes, (title, curves) in zip(all_axes, CURVES.items(), strict=True):
        for key, label in curves.items():
            axes.plot(seen, [float(row[key]) for row in rows], label=label)
        axes.set(title=title, xlabel="thousand images seen")
        axes.legend()
    all_axes[0].axhline(1.386, color="grey", linestyle=":")  # 2 log 2
    all_axes[1].axhline(0.5, color="grey", linestyle=":")
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
    command(FOLDER / "joint.log", *lecture, "joint", "--picture", str(asked.output / "joint.png"))
    command(FOLDER / "marks.log", *lecture, "marks", "--output", str(table), "--overwrite")
    digits = trained("digits", "experiment=quickstart", "trainer.max_epochs=12")
    noise(digits, asked.output / "noise.png")
    cost(digits, asked.output / "cost.png")
    plane = ("model=vae", "model.latent_dim=2", "data=mnist", "trainer.max_epochs=4")
    latent_map(trained("plane", *plane), asked.output / "latent_map.png")
    students = trained("students", "data=table", f"data.root={table}")
    marks(students, asked.output / "marks.png")


if __name__ == "__main__":
    main()
