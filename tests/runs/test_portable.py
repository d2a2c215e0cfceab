"""What Windows or macOS lack is touched behind one door, and a run needs none of it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import NO_NETWORK, ROOT

DOOR = ROOT / "gan_lightning" / "system" / "portable.py"
LACKING = {
    "fcntl": (),
    "resource": (),
    "pwd": (),
    "signal": ("SIGUSR1", "pthread_sigmask", "SIG_BLOCK", "SIG_UNBLOCK"),
    "os": (
        *("O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY", "sched_getaffinity"),
        *("statvfs", "fork", "getuid", "mkfifo", "killpg", "setsid"),
    ),
}
# Every other module goes through the door (`test_one_door`), so that is where the names are gone;
# a folder cannot be opened for anyone.
WITHOUT = f"""
import json, os, runpy, signal, sys, types
class Lacking(types.ModuleType):
    def __init__(self, module, names):
        self.module, self.names = module, names
    def __getattr__(self, name):
        if name in self.names:
            raise AttributeError(name)
        return getattr(self.module, name)
real = dict(sys.modules)
for name, names in {LACKING!r}.items():
    sys.modules[name] = Lacking(real[name], names) if names else None
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import gan_lightning.system.portable as door
assert not door.LOCKS and door.os.names and len(door.STATUS) == 2
for name in {LACKING!r}:
    sys.modules.pop(name)
    sys.modules |= {{name: real[name]}} if name in real else {{}}
opened = os.open
def no_folders(path, *rest, **more):
    if os.path.isdir(path):
        raise PermissionError(13, "a folder", str(path))
    return opened(path, *rest, **more)
os.open = no_folders
os._exit = sys.exit  # sample.py leaves by it
root = os.path.dirname(sys.argv[1])
for command in json.load(sys.stdin):
    sys.argv = [os.path.join(root, command[0]), *command[1:]]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        assert not end.code, command
"""


def named(file: Path) -> set[str]:
    """Return what a file names of that."""
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {node.attr} & set(LACKING.get(node.value.id, ()))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if LACKING.get(alias.name) == ()}
    return found


def test_one_door() -> None:
    assert named(DOOR)
    files = {*(ROOT / "gan_lightning").rglob("*.py"), *ROOT.glob("*.py")} - {DOOR}
    assert {file.name: names for file in files if (names := named(file))} == {}


def test_the_quickstart_needs_none_of_it(tmp_path: Path) -> None:
    """Train, go on, sample and evaluate, with the files read and written as UTF-8 is."""
    small = (
        *("experiment=quickstart", "trainer.limit_train_batches=4", "hydra.run.dir=run"),
        *("callbacks.progress_bar=null", "model.generator.width=4"),
    )
    commands = (
        ("train.py", *small, "trainer.max_epochs=1"),
        ("train.py", "resume=run", "trainer.max_epochs=2"),
        ("sample.py", "generator=run", "num_samples=16", "output=grid.png"),
        ("evaluate.py", "generator=run", "num_samples=200"),
    )
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(ROOT / "train.py")],
        cwd=tmp_path,
        env=os.environ | NO_NETWORK,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "grid.png").exists()
    assert (tmp_path / "run" / "evaluation.json").exists()
