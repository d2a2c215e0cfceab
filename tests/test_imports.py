"""Imports run downward only: DESIGN.md's floors, enforced."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = "gan_lightning"
# Every module, by the first part of its name below the package, has a floor.
FLOORS = {
    1: "networks losses penalties augment ema latents sampling schedules errors files "
    "strangers metadata restore endings npz pictures",
    2: "module objectives optimization meters loggers data callbacks metrics output finite "
    "describe",
    3: "request config checks rules checkpoint checkpoint_io device parts build trial run hints "
    "cli evaluation failures jobs record report resuming runfolder",
    4: "train sample evaluate",
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
ALLOWED = {1: {"torch", "numpy"}}
ALLOWED[2] = ALLOWED[1] | {"lightning", "torchmetrics", "torchvision"}
ALLOWED[2] |= {"PIL", "sklearn", "tensorboard", "safetensors", "scipy"}
ALLOWED[3] = ALLOWED[2] | {"hydra", "omegaconf", "rich", "matplotlib"}
ALLOWED[4] = ALLOWED[3]
ENTRIES = sorted(ROOT / f"{name}.py" for name in FLOORS[4].split())
ENTRIES = [path for path in ENTRIES if path.exists()]
MODULES = sorted((ROOT / PACKAGE).rglob("*.py")) + ENTRIES


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
            # `from gan_lightning import run` names a module in its last part.
            yield from (f"{base}.{a.name}" for a in node.names) if base == PACKAGE else [base]


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return what a module imports from above its floor or from packages not allowed there."""
    if module == PACKAGE:
        floor = 0
    elif room(module) in FLOOR:
        floor = FLOOR[room(module)]
    else:
        return [f"{module} is new: give {room(module)!r} a floor in tests/test_imports.py"]
    found = []
    for name in imports(source, module, is_package):
        top = name.partition(".")[0]
        if top == PACKAGE:
            if FLOOR.get(room(name), 0 if name.endswith("__version__") else 9) > floor:
                found.append(f"{module} (floor {floor}) imports {name} from above it")
        elif top not in sys.stdlib_module_names and top not in ALLOWED.get(floor, set()):
            found.append(f"{module} (floor {floor}) imports {top}, which is not for that floor")
    return found


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_run_downward(path: Path) -> None:
    source = path.read_text()
    assert violations(source, module_name(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("path", ENTRIES, ids=module_name)
def test_entries_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("gan_lightning.losses", "from gan_lightning.module import GANModule", "from above"),
        ("gan_lightning.losses", "from gan_lightning import run", "from above"),
        ("gan_lightning.data.mnist", "from .. import config", "from above"),
        ("gan_lightning.networks.mlp", "def f():\n    from ..build import x", "from above"),
        ("gan_lightning.losses", "import lightning.pytorch as pl", "not for that floor"),
        ("gan_lightning.module", "from hydra.utils import instantiate", "not for that floor"),
        ("gan_lightning.novel", "", "give 'novel' a floor"),
    ],
)
def test_upward_imports_are_found(module: str, source: str, complaint: str) -> None:
    (found,) = violations(source, module)
    assert complaint in found
