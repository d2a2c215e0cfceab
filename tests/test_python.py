"""The package from Python: what docs/python.md and docs/quickstart.ipynb show, run."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import gan_lightning
from gan_lightning.errors import UserError
from tests.conftest import ROOT

QUICK = '"experiment=quickstart"'
FAST = '"experiment=quickstart", "debug=fast"'  # the same code, a few batches an epoch


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_package_is_imported_without_torch() -> None:
    code = "import sys, gan_lightning; print({'torch', 'lightning', 'hydra'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_every_public_name_is_there() -> None:
    for name in gan_lightning.__all__:
        assert getattr(gan_lightning, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = gan_lightning.nothing  # type: ignore[attr-defined]


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 3
    code = "".join(blocks).replace(QUICK, FAST).replace("max_epochs=1", "max_steps=4, max_epochs=1")
    names: dict[str, Any] = {}
    exec(compile(code, "docs/python.md", "exec"), names)
    assert names["folder"].parents[2] == tmp_path
    assert names["threes"].shape == (8, 1, 28, 28)
    assert names["labels"].tolist()[:11] == [*range(10), 0]
    assert names["images"].shape == (8, 1, 28, 28)


def test_the_notebook_runs_and_shows_its_pictures(tmp_path: Path) -> None:
    path = ROOT / "docs" / "quickstart.ipynb"
    assert path.stat().st_size < 100_000
    assert not any(cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(QUICK, FAST).replace("max_epochs=4", "max_epochs=3")
    notebook.cells.append(nbformat.v4.new_code_cell(STOPPED))
    os.environ["PYTHONPATH"] = str(ROOT)
    NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [o for cell in notebook.cells for o in cell.get("outputs", ()) if "data" in o]
    assert sum("image/png" in output["data"] for output in shown) >= 3, "two runs and the figure"
    assert "stopped and saved" in notebook.cells[-1].outputs[-1]["text"]
    assert len(list(tmp_path.glob("outputs/*/*/checkpoints/last.ckpt"))) == 2


# The stop button sends SIGINT to the kernel; the cell after it still runs, so the kernel lives.
STOPPED = """
import os, signal, threading, time
from pathlib import Path

def stop():
    while not list(Path().glob("outputs/*/*/metrics.csv"))[1:]:
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=stop, daemon=True).start()
try:
    train(["experiment=quickstart", "trainer.max_epochs=50", "log_every_n_images=64"])
except KeyboardInterrupt as end:
    print(end)
"""


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["-m", "seed=0,1"], "not -m"),
        (["lss=hinge"], "do not compose"),
        (["data=digits", "optimizer.lr=-1"], "optimizer.lr=-1 must be"),
        (["resume=nowhere"], "do not compose|no run is there"),
    ],
)
def test_what_is_wrong_is_raised(overrides: list[str], words: str, tmp_path: Path) -> None:
    before, handler = [*sys.argv], signal.getsignal(signal.SIGINT)
    with pytest.raises(UserError, match=words):
        gan_lightning.train(overrides)
    assert sys.argv == before
    assert signal.getsignal(signal.SIGINT) is handler
    assert not any(tmp_path.iterdir())


def test_it_works_in_a_thread(tmp_path: Path) -> None:
    """Signals are the main thread's; a server may train in another."""
    folders: list[Path] = []

    def work() -> None:
        folders.append(gan_lightning.train(["experiment=quickstart", "debug=fast", "model=mlp"]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(200)
    assert (folders[0] / "generator.safetensors").is_file()


def test_two_runs_in_one_process_have_a_folder_each() -> None:
    asked = ["experiment=quickstart", "debug=fast", "model=mlp", "callbacks=none"]
    start = time.time()
    first, second = gan_lightning.train(asked), gan_lightning.train(asked)
    assert first != second
    assert time.time() - start < 200
