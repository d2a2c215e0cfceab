"""Train and score named recipes on the same number of images, and write their leaderboard.

    python benchmarks/zoo.py                                   # all recipes, 60,000 images each
    python benchmarks/zoo.py --recipes dcgan,wgan_gp --images 600000 --jobs 1
    python benchmarks/zoo.py --recipes none                    # write the page from what is there
    python benchmarks/zoo.py --recipes sagan,sngan trainer.precision=bf16-mixed

Other arguments are overrides of train.py; the board shows where they make a recipe differ.

The page is docs/zoo.md (docs/zoo-<images>.md with another number than 60,000), made by
gan_lightning.leaderboard of outputs/zoo-<images>/. A run that is complete and a score that is
there are not made again, and a run that was stopped goes on: start the command again after any
ending. A recipe that fails is listed with its reason.
"""

import argparse
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from hydra import compose, initialize_config_dir

from benchmarks.use import machine
from gan_lightning.config.schema import register
from gan_lightning.leaderboard.board import read_board
from gan_lightning.leaderboard.formats import markdown
from gan_lightning.leaderboard.sections import sections
from gan_lightning.runs.record import read_record

EXPERIMENTS = ROOT / "conf" / "experiment"
MNIST = 60_000
DEFAULT = "default"


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


def complete(run: Path) -> bool:
    """Whether a run has ended well."""
    sessions = read_record(run).get("sessions") or [{}]
    return sessions[-1].get("reason") == "complete"


def train(name: str, run: Path, seed: int, images: int, overrides: list[str]) -> None:
    """Train one recipe with one seed, or go on with it; a failure stays in its log."""
    if complete(run):
        return
    log = run.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        command(
            log,
            "train.py",
            *([] if name == DEFAULT else [f"experiment={name}"]),
            f"seed={seed}",
            f"hydra.run.dir={run}",
            "resume=auto",
            f"trainer.max_epochs={math.ceil(images / MNIST)}",
            f"trainer.limit_train_batches={images / MNIST / math.ceil(images / MNIST)}",
            *overrides,
            "callbacks.progress_bar=null",
            "data.on_missing=error",
        )
    except subprocess.CalledProcessError:
        print(f"{name}, seed {seed}: failed, see {log}", file=sys.stderr)


def score(folder: Path, seeds: list[int]) -> None:
    """Score the latest generators of a recipe's seeds together, unless that was done."""
    runs = [run for seed in seeds if complete(run := folder / f"seed-{seed}")]
    output = folder / f"evaluation-{'-'.join(run.name.removeprefix('seed-') for run in runs)}.json"
    if not runs or output.exists():
        return
    generators = ",".join(str(run / "generator.safetensors") for run in runs)
    asked = (f"generator={generators}", f"output={output}", "overwrite=true", "accelerator=cpu")
    try:
        command(folder / "evaluation.log", "evaluate.py", *asked)
    except subprocess.CalledProcessError:
        print(f"{folder.name}: not scored, see {folder / 'evaluation.log'}", file=sys.stderr)


def page(folder: Path, images: int) -> str:
    """Return the leaderboard of what is there, below what is said of the zoo."""
    docs, name = ROOT / "docs", "zoo" if images == MNIST else f"zoo-{images}"
    there = [recipe for recipe in recipes() if (folder / recipe).is_dir()]
    missing = [f"`{recipe}`" for recipe in recipes() if recipe not in there]
    parts = [HEAD.format(images=images, recipes=len(there), machine=machine())]
    parts += [f"Not run with this budget yet: {', '.join(missing)}.\n"] * bool(missing)
    parts.append(markdown(sections(read_board([folder])), docs / "images" / name, str(docs)))
    listed = "\n".join(f"- `{recipe}`: {about(recipe)}" for recipe in there)
    return "\n".join([*parts, f"## The recipes\n\n{listed}\n"])


HEAD = """# The zoo: named recipes, measured

{recipes} recipes of [conf/experiment](../conf/experiment), each trained on the same {images:,}
MNIST images shown to D (so that a recipe with five D updates makes a fifth of the G updates), on
a thread a run ({machine}).
[leaderboard.md](leaderboard.md) says what the columns mean; the FID of a digit
classifier is no Inception FID, see [metrics.md](metrics.md). A recipe that is slow to start is not
a bad recipe. `default`, `cgan`, `acgan`, `pd_sngan`, `mhingegan` and `sagan` are told the label;
compare them with each other. Network sizes are those of conf/model, smaller than in the papers.
A row that names `trainer.precision=bf16-mixed` was trained so, because it is slow in float32.

Two budgets were measured: [60,000 images](zoo.md), an epoch of every recipe, and
[300,000 images](zoo-300000.md).

```
python benchmarks/zoo.py --images {images}
```
"""


def main() -> None:
    """Train and score what was asked for, and write the page from all that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", default=",".join(recipes()))
    parser.add_argument("--images", type=int, default=MNIST)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, a thread each")
    parser.add_argument("--accelerator", default="cpu")
    args, overrides = parser.parse_known_args()
    overrides.insert(0, f"trainer.accelerator={args.accelerator}")
    folder = ROOT / "outputs" / f"zoo-{args.images}"
    names = [name for name in args.recipes.split(",") if name != "none"]
    if unknown := sorted({*names} - {*recipes()}):
        parser.error(f"--recipes {unknown[0]}: one of {', '.join(recipes())}")
    seeds = [int(seed) for seed in args.seeds.split(",")]
    jobs = [(name, seed) for name in names for seed in seeds]

    def one(job: tuple[str, int]) -> None:
        name, seed = job
        train(name, folder / name / f"seed-{seed}", seed, args.images, overrides)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, jobs))
        list(pool.map(lambda name: score(folder / name, seeds), names))
    os.chdir(ROOT)  # the page names runs as they are typed from here
    title = "zoo" if args.images == MNIST else f"zoo-{args.images}"
    (ROOT / "docs" / f"{title}.md").write_text(page(folder, args.images))


if __name__ == "__main__":
    main()
