"""Train named recipes on the same number of images and write the leaderboard docs/zoo.md
(docs/zoo-<images>.md with another number than 60,000).

    python benchmarks/zoo.py                                   # all recipes, 60,000 images each
    python benchmarks/zoo.py --recipes dcgan,wgan_gp --images 600000 --jobs 1
    python benchmarks/zoo.py --recipes none                    # write the page from what is there

Every recipe is trained by train.py and drawn by sample.py; all are scored by one call of
evaluate.py. Runs lie in outputs/zoo-<images>/ and are not repeated if they are there, so that the
page can be made in parts. A recipe that fails, or whose scores are no result, is listed as such.
"""

import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from hydra import compose, initialize_config_dir

from benchmarks.clock import read_clock
from gan_lightning.config.schema import register
from gan_lightning.runs.record import read_record

EXPERIMENTS = ROOT / "conf" / "experiment"
MNIST = 60_000
DEFAULT = "default"
WORST_FID, LEAST_RECALL = 50.0, 0.01  # beyond these a recipe did not train


@dataclass(frozen=True)
class Row:
    """What one recipe reached; without scores it did not train."""

    name: str
    what: str
    parameters: str = ""
    images: int = 0
    speed: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    unit: str = ""
    commit: str = ""


def recipes() -> list[str]:
    """Return the experiments that train on the whole of MNIST, and the default."""
    register()
    names = []
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        for file in sorted(EXPERIMENTS.glob("*.yaml")):
            data = compose("config", [f"experiment={file.stem}", "run_dir=none"]).data
            if data.name == "mnist" and data.fraction == 1:
                names.append(file.stem)
    return [DEFAULT, *names]


def about(name: str) -> str:
    """Return the paper that a recipe's file names."""
    if name == DEFAULT:
        return "this project's default: conditional DCGAN, non-saturating loss, R1, average"
    lines = (EXPERIMENTS / f"{name}.yaml").read_text().splitlines()
    return next(line for line in lines if line.startswith("# ") and "@package" not in line)[2:]


def command(log: Path, script: str, *arguments: str) -> None:
    """Run one of the project's commands on one thread; its output goes to a file."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with log.open("a") as file:
        subprocess.run(
            [sys.executable, script, *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def train(name: str, folder: Path, images: int, accelerator: str) -> None:
    """Train, draw and score one recipe, unless that was done before; failures stay in its log."""
    run, log = folder / name, folder / f"{name}.log"
    if (run / "grid.png").exists():
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        command(
            log,
            "train.py",
            *([] if name == DEFAULT else [f"experiment={name}"]),
            f"hydra.run.dir={run}",
            f"trainer.max_epochs={math.ceil(images / MNIST)}",
            f"trainer.limit_train_batches={images / MNIST / math.ceil(images / MNIST)}",
            f"trainer.accelerator={accelerator}",
            "callbacks.progress_bar=null",
            "data.on_missing=error",
            "+callbacks.clock._target_=benchmarks.clock.Clock",
            "+callbacks.clock.file=${run_dir}/clock.csv",
        )
        command(log, "sample.py", f"generator={run}", "num_samples=50", f"output={run}/grid.png")
    except subprocess.CalledProcessError:
        print(f"{name}: failed, see {log}", file=sys.stderr)


def score(names: list[str], folder: Path) -> dict[str, Any]:
    """Score all generators that are there; return the record."""
    output = folder / "evaluation.json"
    generators = ",".join(str(folder / name) for name in names if drawn(name, folder))
    done = (f"generator={generators}", f"output={output}", "overwrite=true", "accelerator=cpu")
    command(folder / "evaluation.log", "evaluate.py", *done)
    return json.loads(output.read_text())


def drawn(name: str, folder: Path) -> bool:
    """Whether a recipe got as far as its picture."""
    return (folder / name / "grid.png").exists()


def row(name: str, folder: Path, record: dict[str, Any]) -> Row:
    """Read what a recipe left."""
    if not drawn(name, folder):
        return Row(name, about(name))
    run = folder / name
    entry = next(entry for entry in record["candidates"] if entry["name"] == name)
    counts = re.findall(r"([\d,]+) parameters", (folder / f"{name}.log").read_text())[-2:]
    seconds = read_clock(run / "clock.csv")
    last = max(seconds)
    return Row(
        name,
        about(name),
        " + ".join(f"{int(count.replace(',', '')) / 1000:.0f}k" for count in counts),
        last,
        last / seconds[last],
        {key: score["value"] for key, score in entry["scores"]["train"].items()},
        {key: score["value"] for key, score in record["floors"]["train"].items()},
        record["unit"],
        str(read_record(run)["sessions"][-1]["git_commit"])[:7],
    )


def title(images: int) -> str:
    """Return the name of a budget's page and pictures."""
    return "zoo" if images == MNIST else f"zoo-{images}"


def grid(name: str, folder: Path, images: int) -> str:
    """Copy a recipe's picture to the docs; return the markdown that shows it."""
    pictures = ROOT / "docs" / "images" / title(images)
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / name / "grid.png", pictures / f"{name}.png")
    return f"![{name}](images/{title(images)}/{name}.png)"


def trained(row: Row) -> bool:
    """Whether its scores are a result."""
    good = row.scores and row.scores["fid"] <= WORST_FID
    return bool(good and row.scores["recall"] >= LEAST_RECALL)


def page(rows: list[Row], folder: Path, images: int) -> str:
    """Return the leaderboard in markdown, best FID first."""
    good = sorted((r for r in rows if trained(r)), key=lambda r: r.scores["fid"])
    bad = [r for r in rows if r not in good]
    measured = next(r for r in rows if r.scores)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "lightning"))
    head = HEAD.format(
        images=images,
        **measured.floors,
        unit=measured.unit,
        machine=f"Python {platform.python_version()}, {versions}",
        minutes=sum(r.images / r.speed for r in rows if r.scores) / 60,
        rows=len(rows),
    )
    lines = [head, *table(good)]
    if bad:
        lines += [
            "",
            f"Did not train with this budget (FID above {WORST_FID:g}, recall below "
            f"{LEAST_RECALL:g}, or failed):",
            "",
        ]
    for r in bad:
        words = "FID {fid:.1f}, precision {precision:.3f}, recall {recall:.3f}, commit "
        shown = f"[`{r.name}`](#{r.name}): {words.format(**r.scores)}{r.commit}" if r.scores else ""
        lines.append(f"- {shown or f'`{r.name}`: failed'} ({r.what})")
    missing = [f"`{name}`" for name in recipes() if name not in {r.name for r in rows}]
    if missing:
        lines += ["", f"Not run with this budget yet: {', '.join(missing)}."]
    for r in rows:
        if r.scores:
            lines += ["", f"### {r.name}", "", r.what, "", grid(r.name, folder, images)]
    return "\n".join(lines) + "\n"


def table(rows: list[Row]) -> list[str]:
    """Return the lines of the leaderboard's table."""
    names = ("recipe", "FID", "times the floor", "precision", "recall", "images/s")
    lines = [f"| {' | '.join(names)} | parameters G + D | commit |", "|---" * 8 + "|"]
    for r in rows:
        fid = r.scores["fid"]
        lines.append(
            f"| [`{r.name}`](#{r.name}) | {fid:.3f} | {fid / r.floors['fid']:.0f} "
            f"| {r.scores['precision']:.3f} | {r.scores['recall']:.3f} | {r.speed:,.0f} "
            f"| {r.parameters} | {r.commit} |"
        )
    return lines


HEAD = """# The zoo: named recipes, measured

{rows} recipes of [conf/experiment](../conf/experiment), each trained on the same {images:,} MNIST
images shown to D (so that a recipe with five D updates makes a fifth of the G updates), seed 0,
on one CPU core ({machine}), {minutes:.0f} minutes of training
in all. Scores are `evaluate.py`'s: 10,000 samples of the generator file against the training
split, unit {unit}; reals against reals have FID {fid:.3f}, precision {precision:.3f}, recall
{recall:.3f}. The FID of a digit classifier is no Inception FID; see [metrics.md](metrics.md).
images/s is by CPU time of training alone. One seed and a small budget: differences of a fifth
mean little, and a recipe that is slow to start is not a bad recipe.

`default`, `cgan`, `acgan`, `pd_sngan`, `mhingegan` and `sagan` are told the label; compare them
with each other. Network sizes are those of conf/model, smaller than in the papers.

Two budgets were measured: [60,000 images](zoo.md), an epoch of every recipe, and
[300,000 images](zoo-300000.md) of those that take few minutes.

```
python benchmarks/zoo.py --images {images}
```
"""


def main() -> None:
    """Train what was asked for and write the page from all that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default=",".join(recipes()))
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, a thread each")
    parser.add_argument("--accelerator", default="cpu")
    args = parser.parse_args()
    folder = ROOT / "outputs" / f"zoo-{args.images}"
    names = [name for name in args.recipes.split(",") if name != "none"]
    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(lambda name: train(name, folder, args.images, args.accelerator), names))
    tried = [name for name in recipes() if (folder / f"{name}.log").exists()]
    record = score(tried, folder)
    rows = [row(name, folder, record) for name in tried]
    (ROOT / "docs" / f"{title(args.images)}.md").write_text(page(rows, folder, args.images))


if __name__ == "__main__":
    main()
