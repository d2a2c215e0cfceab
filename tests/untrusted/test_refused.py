"""Every planted file ends sample.py with status 2, one sentence, bounded memory and time."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_script
from tests.untrusted import planted as p
from tests.untrusted.files import FILES, MARK, run_on_files, saved

pytestmark = pytest.mark.fault(43)
MOST_BYTES, MOST_SECONDS = 200 << 20, 10.0


@pytest.fixture(scope="module")
def endings(folder: Path) -> dict[str, dict[str, Any]]:
    """How sample.py ended on each file."""
    return run_on_files("probe", folder)


@pytest.mark.parametrize("name", FILES)
def test_refused(name: str, endings: dict[str, dict[str, Any]], folder: Path) -> None:
    words, ending = FILES[name][0], endings[name.replace(" ", "_")]
    said = ending["said"]
    assert ending["status"] == 2, ending
    assert words in said
    assert name.replace(" ", "_") in said
    assert "Traceback" not in said
    assert len(said) < 1500
    assert said.count("\n") == 1
    assert all(c.isprintable() or c == "\n" for c in said + ending["out"])
    assert ending["seconds"] < MOST_SECONDS
    assert ending["grew"] < MOST_BYTES
    assert not (folder / MARK).exists()
    assert not (folder / "x.npz").exists()


@pytest.mark.parametrize("script", ["sample.py", "evaluate.py"])
def test_refused_by_the_commands_too(
    script: str, endings: dict[str, dict[str, Any]], folder: Path, tmp_path: Path
) -> None:
    done = run_script(tmp_path, script, f"generator={folder / 'torch.ckpt'}")
    assert done.returncode == 2
    assert done.stderr == endings["torch.ckpt"]["said"]
    assert not (folder / MARK).exists()
    assert list(tmp_path.iterdir()) == []


def test_the_files_are_good_but_for_what_is_planted(tmp_path: Path) -> None:
    """Else they would be refused for another reason than the one under test."""
    from gan_lightning.export.generator_file import read_generator

    read_generator(p.generator_file(tmp_path / "x.safetensors"))
    read_generator(p.checkpoint(tmp_path / "x.ckpt"))
    read_generator(saved(more=1)(tmp_path / "y.ckpt"))
