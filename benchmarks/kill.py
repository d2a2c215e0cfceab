"""Kills runs with SIGKILL at random moments, restarts them, and compares with untouched ones.

    python benchmarks/kill.py 50 [seed]     # so many kills over all settings; prints a table

Each setting is run once untouched. Then `python train.py ... resume=auto` is killed 0.2 to 4
seconds after its first step and started again by the same command line until it completes; its
weights, both optimizers, average, augmentation, curves and generator file must have the same
SHA-256. Half of the kills hit the first process alone, half all processes at once.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.state import differences  # noqa: E402

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


def stamp(folder: Path) -> tuple[int, ...]:
    """Return what changes when a step's curve point or checkpoint is written."""
    files = (folder / "metrics.csv", folder / "checkpoints" / "last.ckpt")
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def kill_once(process: subprocess.Popen, folder: Path, chance: random.Random) -> bool:
    """Wait for a step, then some seconds, then kill; False if the run was complete before."""
    before = stamp(folder)
    while stamp(folder) == before and process.poll() is None:
        time.sleep(0.02)
    deadline = time.monotonic() + chance.uniform(0.2, 4.0)
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        return False
    if chance.random() < 0.5:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


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


def main(kills: int, seed: int, only: str = "") -> int:
    """Kill so many times, in turn over the settings; return how many runs differ or hang on."""
    chance, work = random.Random(seed), Path(tempfile.mkdtemp(prefix="kill-"))
    settings = {name: value for name, value in SETTINGS.items() if only in name}
    counts = {name: [0, 0, 0, 0] for name in settings}  # kills, runs, runs that differ, orphans
    told: list[str] = []
    for turn, (name, overrides) in enumerate(settings.items()):
        whole, quota = (
            work / f"{turn}-whole",
            (kills * (turn + 1)) // len(settings) - (kills * turn) // len(settings),
        )
        check(start(whole, overrides), whole)
        while counts[name][0] < quota:
            folder = work / f"{turn}-killed"
            shutil.rmtree(folder, ignore_errors=True)
            done, in_run = False, 0
            while not done:
                process = start(folder, overrides)
                if counts[name][0] < quota and kill_once(process, folder, chance):
                    counts[name][0] += 1
                    in_run += 1
                    counts[name][3] += chance.random() < 0.3 and not ended(process.pid)
                else:
                    check(process, folder)
                    done = True
            if in_run:
                found = differences(whole, folder)
                counts[name][1] += 1
                counts[name][2] += bool(found)
                told += [f"{name}: differs in {', '.join(found)}"] if found else []
        print(f"{name:<40}", *counts[name], flush=True)
    print("\n| setting | kills | runs completed | runs that differ | orphans |")
    print("|---|---|---|---|---|")
    for name, row in counts.items():
        print(f"| {name} | " + " | ".join(map(str, row)) + " |")
    print(*told, sep="\n")
    shutil.rmtree(work)
    return sum(row[2] + row[3] for row in counts.values())


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *(["20", "0", ""][len(sys.argv) - 1 :])]
    sys.exit(min(main(int(arguments[0]), int(arguments[1]), arguments[2]), 1))
