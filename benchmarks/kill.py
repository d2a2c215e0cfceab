"""Kills runs with SIGKILL at random moments, restarts them, and compares with untouched ones.

    python benchmarks/kill.py 50 [seed]     # so many kills over all settings; prints a table

Each setting is run once untouched. Then `python train.py ... resume=auto` is killed and started
again by the same command line until it completes; its weights, both optimizers, average,
augmentation, curves and generator file must have the same SHA-256. Four of five kills come while
it trains, up to 1.5 seconds after a curve point or checkpoint that this start has made; the others
within twelve seconds of the start. Half of them hit the first process alone, half all at once.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.state import curves, differences
from gan_lightning.runs.record import read_record

SMALL = (
    *("data=digits", "debug=fast", "data.batch_size=16", "data.repeat=3"),
    *("trainer.limit_train_batches=1.0", "trainer.max_epochs=2"),
    *("model.generator.width=4", "model.discriminator.width=4", "log_every_n_images=400"),
    *("callbacks.progress_bar=null", "callbacks.checkpoints.every_n_images=480"),
)
RECIPES = {
    "dcgan": ("model.num_classes=0",),
    "ada, conditional": ("augment=ada", "augment.images=20000", "augment.target=0.1"),
}
SETTINGS = {
    f"{recipe}, {devices} process{'es' * (devices > 1)}, {workers} workers": (
        *overrides,
        f"trainer.devices={devices}",
        f"data.num_workers={workers}",
    )
    for recipe, overrides in RECIPES.items()
    for devices in (1, 2)
    for workers in (0, 2)
}


def start(folder: Path, overrides: tuple[str, ...]) -> subprocess.Popen:
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *overrides]
    command += ["resume=auto", f"hydra.run.dir={folder}"]
    with (folder.parent / f"{folder.name}.log").open("a") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, cwd=folder.parent
        )


def sessions(folder: Path) -> int:
    """Return how many starts have come as far as training."""
    return len(read_record(folder).get("sessions", []))


def progress(folder: Path) -> tuple[int, int]:
    """Return the last position in the curves, and when the checkpoint was written."""
    file, last = folder / "metrics.csv", folder / "checkpoints" / "last.ckpt"
    rows = curves(folder) if file.exists() else []
    seen = [int(row["images_seen"]) for row in rows if row.get("images_seen", "").isdigit()]
    return max(seen, default=0), last.stat().st_mtime_ns if last.exists() else 0


def trains(process: subprocess.Popen, folder: Path, before: int) -> None:
    """Wait until this start has made a curve point or a checkpoint, or has ended."""
    while sessions(folder) == before and process.poll() is None:
        time.sleep(0.05)
    lowest, saved = progress(folder)
    while process.poll() is None:
        seen, written = progress(folder)
        if seen > lowest or written > saved:
            return
        lowest = min(lowest, seen)  # a resume begins by dropping what it measures again
        time.sleep(0.02)


def kill_once(process: subprocess.Popen, folder: Path, before: int, chance: random.Random) -> str:
    """Wait, then kill; return "training" or "starting", or "" if the run was complete before."""
    kind, wait = "starting", chance.uniform(0.0, 12.0)
    if chance.random() < 0.8:
        trains(process, folder, before)
        kind, wait = "training", chance.uniform(0.0, 1.5)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        return ""
    if chance.random() < 0.5:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return kind


def orphans(group: int) -> bool:
    """Whether a process of a run is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def ended(group: int, seconds: float = 20.0) -> bool:
    """Whether all processes of a killed run end by themselves."""
    deadline = time.monotonic() + seconds
    while orphans(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not orphans(group)


def check(process: subprocess.Popen, folder: Path) -> None:
    if process.wait() != 0:
        log = folder.parent / f"{folder.name}.log"
        raise SystemExit(f"{folder}: status {process.returncode}\n{log.read_text()[-3000:]}")


@dataclass
class Tally:
    """What became of one setting."""

    training: int = 0
    starting: int = 0
    runs: int = 0
    differ: int = 0
    left: int = 0
    told: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.training} | {self.starting} | {self.runs} | {self.differ} | {self.left}"


def tortured(
    whole: Path, folder: Path, overrides: tuple[str, ...], kills: int, chance: random.Random
) -> Tally:
    """Return what became of one run that is killed until it is complete, or so many times."""
    tally = Tally()
    while True:
        before = sessions(folder)
        process = start(folder, overrides)
        kind = ""
        if tally.training + tally.starting < kills:
            kind = kill_once(process, folder, before, chance)
        if not kind:
            break
        tally.training += kind == "training"
        tally.starting += kind == "starting"
        tally.left += chance.random() < 0.3 and not ended(process.pid)
    check(process, folder)
    tally.runs, tally.told = 1, differences(whole, folder)
    tally.differ = bool(tally.told)
    return tally


def main(kills: int, seed: int, only: str = "") -> int:
    """Kill so many times, in turn over the settings; return how many runs differ or hang on."""
    chance, work = random.Random(seed), Path(tempfile.mkdtemp(prefix="kill-"))
    settings = {name: value for name, value in SETTINGS.items() if only in name}
    print("| setting | kills while training | while starting | runs | that differ | left |")
    print("|---|---|---|---|---|---|", flush=True)
    bad = 0
    for turn, (name, overrides) in enumerate(settings.items()):
        whole = work / f"{turn}-whole"
        quota = (kills * (turn + 1)) // len(settings) - (kills * turn) // len(settings)
        check(start(whole, overrides), whole)
        total = Tally()
        while total.training + total.starting < quota:
            done = total.training + total.starting
            folder = work / f"{turn}-killed-{total.runs}"
            one = tortured(whole, folder, overrides, quota - done, chance)
            total = Tally(*(a + b for a, b in zip(astuple(total), astuple(one), strict=True)))
        print(f"| {name} | {total} |", *total.told, flush=True)
        bad += total.differ + total.left
    if bad:
        print(f"kept: {work}")
    else:
        shutil.rmtree(work)
    return bad


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *(["20", "0", ""][len(sys.argv) - 1 :])]
    sys.exit(min(main(int(arguments[0]), int(arguments[1]), arguments[2]), 1))
