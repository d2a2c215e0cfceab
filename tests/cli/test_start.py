"""What a command imports before it works: each package costs every start its time."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {"lightning", "torchmetrics", "torchvision", "tensorboard"}
HEAVY |= {"matplotlib", "scipy", "sklearn", "hmmlearn"}
SCRIPT = """
import json, os, runpy, sys
os._exit = sys.exit  # sample.py leaves by it
sys.path.insert(0, sys.argv[1])
sys.argv = sys.argv[2:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted({name for name in sys.modules if name.count(".") < 2})))
"""


def imported(cwd: Path, *command: str) -> set[str]:
    """Return the packages that a command has imported when it ends."""
    script = (str(ROOT), str(ROOT / command[0]), *command[1:])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *script],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "script", ["train.py", "sample.py", "evaluate.py", "gan_lightning/search/__main__.py"]
)
def test_help_imports_neither_torch_nor_what_trains(script: str, tmp_path: Path) -> None:
    assert not imported(tmp_path, script, "--help") & (HEAVY | {"torch", "numpy", "rich"})


def test_the_report_imports_neither_torch_nor_numpy(run_folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(run_folder, tmp_path / "run")
    found = imported(tmp_path, "gan_lightning/report/__main__.py", str(run))
    assert not found & (HEAVY | {"torch", "numpy", "hydra", "rich"})


def test_sampling_imports_nothing_that_trains_or_compiles(run_folder: Path, tmp_path: Path) -> None:
    asked = (f"generator={run_folder}", "num_samples=64", "output=x.png")
    found = imported(tmp_path, "sample.py", *asked)
    assert (tmp_path / "x.png").exists()
    assert not found & (HEAVY | {"torch._dynamo", "sympy", "rich"})


def test_the_package_by_itself_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import gan_lightning")
    assert not imported(tmp_path, str(tmp_path / "own.py")) & (HEAVY | {"torch", "hydra", "numpy"})
