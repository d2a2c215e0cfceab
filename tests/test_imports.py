"""Imports run in one direction: a list of folders, the lowest first, and no arrow upward."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = "gan_lightning"
# What stands on one line may import what stands on the lines above it, and its own folder.
ORDER = (
    "errors pixels ranges",
    "system",
    "tables",
    "networks schedules",
    "losses penalties augment data sampling loggers",
    "training export report shards",
    "metrics leaderboard",
    "callbacks",
    "config",
    "runs evaluation",
    "modes",
    "cli",
    "lecture search",
    "page",
    "train sample evaluate",
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms.split()}
SCRIPTS = sorted(ROOT / f"{name}.py" for name in ORDER[-1].split())
MODULES = sorted((ROOT / PACKAGE).rglob("*.py")) + SCRIPTS
MATHEMATICS = {"torch", "numpy"}
# What no other room may import, and where sampling would pay for it at every start.
HYDRA = {"config", "runs", "evaluation", "cli", "lecture", "search", "train", "sample", "evaluate"}
# Libraries that one room has beside these; those of networks fit a density, and sampling does
# not import them (tests/cli/test_start.py).
ONE_BY_ONE = {("pixels", "PIL"), ("networks", "sklearn"), ("networks", "hmmlearn")}
PURE = {"errors", "pixels", "ranges", "networks", "losses", "penalties", "augment", "schedules"}


def room(module: str) -> str:
    """`gan_lightning.data.mnist` -> `data`; `train` -> `train`; the package itself -> ``."""
    return module.removeprefix(PACKAGE).removeprefix(".").partition(".")[0]


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Yield the full names of all modules that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                keep = len(module.split(".")) - node.level + is_package
                base = ".".join([*module.split(".")[:keep], *filter(None, [base])])
            # `from gan_lightning import runs` names a module in its last part.
            yield from (f"{base}.{a.name}" for a in node.names) if base == PACKAGE else [base]


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return what a module imports from above its room, or from a package not for that room."""
    if module == PACKAGE:  # its names are imported on first use, from any room
        return []
    here = room(module)
    if here not in LEVEL:
        return [f"{module} is new: give {here!r} a place in tests/test_imports.py"]
    found = []
    for name in imports(source, module, is_package):
        top, there = name.partition(".")[0], room(name)
        if top != PACKAGE:
            if top not in sys.stdlib_module_names and not allowed(top, here):
                found.append(f"{module} imports {top}, which is not for {here}")
        elif there != here and LEVEL.get(there, -1) >= LEVEL[here] and there != "__version__":
            found.append(f"{module} imports {name}, which does not stand above it")
    return found


def allowed(package: str, here: str) -> bool:
    """Whether a library may be imported in a room."""
    if package in ("hydra", "omegaconf"):
        return here in HYDRA
    return package in MATHEMATICS or here not in PURE or (here, package) in ONE_BY_ONE


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_run_downward(path: Path) -> None:
    source = path.read_text()
    assert violations(source, module_name(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("path", SCRIPTS, ids=module_name)
def test_scripts_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 60


def test_the_root_has_at_most_six_files() -> None:
    assert len(list((ROOT / PACKAGE).glob("*.py"))) <= 6


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("gan_lightning.losses", "from gan_lightning.training import GANModule", "above it"),
        ("gan_lightning.losses", "from gan_lightning import runs", "above it"),
        ("gan_lightning.data.mnist", "from .. import config", "above it"),
        ("gan_lightning.networks.mlp", "def f():\n    from ..config import x", "above it"),
        ("gan_lightning.losses", "import gan_lightning.penalties", "above it"),
        ("gan_lightning.losses", "import lightning.pytorch as pl", "not for losses"),
        ("gan_lightning.training", "from hydra.utils import instantiate", "not for training"),
        ("gan_lightning.novel", "", "give 'novel' a place"),
    ],
)
def test_upward_imports_are_found(module: str, source: str, complaint: str) -> None:
    (found,) = violations(source, module)
    assert complaint in found
