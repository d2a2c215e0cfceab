"""An exported folder: what is in it, its script beside sample.py, and sentences for bad input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning.export.__main__ import KEYS, main
from gan_lightning.export.folder import NAMES, Asked, export
from gan_lightning.export.generator_file import load_generator
from gan_lightning.sampling.draw import sample
from tests.conftest import ROOT
from tests.export.exported import generator_file
from tests.untrusted import planted as p

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
OWN = "tests.untrusted.own.OwnGenerator"


def quiet(**asked: Any) -> Path:
    return export(Asked(**{k: str(v) if k == "output" else v for k, v in asked.items()}), str)


def use(folder: Path, cwd: Path, *arguments: int, without: str) -> subprocess.CompletedProcess[str]:
    """Run usage.py in a process in which some packages cannot be imported."""
    hidden = f"sys.modules.update(dict.fromkeys({without.split()}))"
    script = f"sys.argv = {[str(folder / 'usage.py'), *map(str, arguments)]}"
    code = f"import runpy, sys; {hidden}; {script}; runpy.run_path(sys.argv[0])"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_a_run_becomes_a_folder(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([f"generator={run_folder}", f"output={tmp_path / 'out'}"])
    said = capsys.readouterr().out
    assert "opset 20" in said
    assert "largest difference from torch" in said
    assert "generator.onnx" in said
    folder = tmp_path / "out"
    names = {path.name for path in folder.iterdir()}
    assert names == NAMES - {"generator.pt2"}
    assert names == {path.name for path in folder.iterdir() if path.stat().st_mode & 0o444}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # nothing temporary is left
    ours, theirs = (load_generator(path) for path in (folder, run_folder))
    assert torch.equal(sample(ours, 9)[0], sample(theirs, 9)[0])
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (302, 302)
    model = onnx.load(str(folder / "generator.onnx"))
    said_of_itself = json.loads(model.metadata_props[0].value)
    assert (said_of_itself["opset"], said_of_itself["dataset"]) == (20, "digits")

    done = use(folder, tmp_path, 5, 3, 7, without="torch gan_lightning")
    assert done.returncode == 0, done.stderr
    drawn = np.load(tmp_path / "samples.npy")
    expected, _ = sample(theirs, 5, seed=7, labels=[3])
    assert np.abs(drawn - expected.numpy()).max() <= 1e-5
    done = use(folder, tmp_path, 5, 11, without="torch")
    assert done.returncode == 1
    assert "label 11: this generator knows range(0, 10)" in done.stderr
    assert len((folder / "usage.py").read_text().splitlines()) <= 20


def test_a_torch_program_needs_torch_alone(tmp_path: Path) -> None:
    file = generator_file(tmp_path / "run", "MLPGenerator")
    folder = quiet(generator=str(file), format="torch", output=tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == NAMES - {"generator.onnx"}
    hidden = "numpy gan_lightning onnx onnxruntime"
    drawn = []
    for count in (3, 20):  # sample i depends on the seed and i
        done = use(folder, tmp_path, count, 1, without=hidden)
        assert done.returncode == 0, done.stderr
        drawn.append(torch.load(tmp_path / "samples.pt"))
    assert torch.allclose(drawn[0], drawn[1][:3], atol=1e-6)
    assert drawn[1].shape == (20, 1, 8, 8)
    assert len((folder / "usage.py").read_text().splitlines()) <= 20


@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_a_subset_of_labels_and_points(kind: str, tmp_path: Path) -> None:
    """Labels need not be 0, 1, ...; a table's points are drawn as dots."""
    arguments = {"image_shape": [2, 1, 1], "num_classes": 4}
    file = generator_file(tmp_path / "run", "ToyGenerator", [1, 3], **arguments)
    folder = quiet(generator=str(file), format=kind, output=tmp_path / "out")
    assert "(16, 1, 0)" in (folder / "usage.py").read_text()  # the first that it knows
    done = use(folder, tmp_path, 3, 2, without="gan_lightning")
    assert "label 2: this generator knows [1, 3]" in done.stderr
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (400, 400)


def test_a_checkpoint_and_the_newest_run(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = quiet(generator=str(run_folder / "checkpoints" / "last.ckpt"), format="torch")
    assert one == Path(f"exports/{run_folder.name}-torch")
    shutil.copytree(run_folder, tmp_path / "outputs" / "a" / "run")
    two, three = quiet(format="torch"), quiet(format="torch")
    assert (two, three) == (Path("exports/run-torch"), Path("exports/run-torch-2"))
    latest = load_generator(run_folder / "generator.safetensors")
    assert torch.equal(sample(load_generator(one), 4)[0], sample(latest, 4)[0])


def test_overwrite_keeps_what_is_not_ours(tmp_path: Path) -> None:
    file = generator_file(tmp_path / "run", "MLPGenerator")
    folder = quiet(generator=str(file), format="torch", output=tmp_path / "out")
    (folder / "notes.txt").write_text("mine")
    (folder / "usage.py").write_text("old")
    quiet(generator=str(file), output=folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == NAMES - {"generator.pt2"} | {"notes.txt"}
    assert (folder / "usage.py").read_text() != "old"


def test_a_class_from_outside_the_package(tmp_path: Path) -> None:
    from tests.untrusted.own import OwnGenerator

    arguments = {"latent_dim": 4, "image_shape": [1, 4, 4], "num_classes": 0, "gain": 2.0}
    state = OwnGenerator(**arguments).state_dict()
    file = p.generator_file(tmp_path / "x.safetensors", state, class_name=OWN, arguments=arguments)
    out = tmp_path / "out"
    with pytest.raises(SystemExit):
        main([f"generator={file}", f"output={out}"])
    main([f"generator={file}", f"output={out}", f"trust={OWN}"])
    assert "# OwnGenerator, " in (out / "README.md").read_text()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one sentence with which a command ends."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["format=tflite"], "format=tflite: choose one of onnx, torch"),
        (["format=null"], "format=null: choose one of onnx, torch"),
        (["fromat=onnx"], "did you mean format?"),
        (["onnx"], "'onnx' is not KEY=VALUE"),
        (["seed=1"], "there is no key seed; did you mean generator, format"),
        (["format=onnx", "format=torch"], "format is given twice"),
        (["overwrite=yes"], "overwrite=yes must be true or false"),
        (["truncation=much"], "truncation=much must be a number"),
        ([], "no generator.safetensors below outputs/"),
        (["generator=nowhere"], "generator=nowhere: no such file"),
    ],
)
def test_bad_arguments(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capsys, *arguments)
    assert not list(tmp_path.iterdir())


def test_bad_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = generator_file(tmp_path / "run", "MLPGenerator")
    full, run, path = tmp_path / "full", tmp_path / "other", tmp_path / "file"
    for place in (full / "x", run / "config.yaml", path):
        place.parent.mkdir(exist_ok=True)
        place.touch()

    def said(place: Path, *more: str) -> str:
        return refused(capsys, f"generator={file}", f"output={place}", "format=torch", *more)

    assert "exists: choose another, or set overwrite=true" in said(full)
    assert "is no folder" in said(path, "overwrite=true")
    assert "cannot be made" in said(path / "below")
    assert "is a run's folder" in said(run, "overwrite=true")
    assert "is where the generator is" in said(file.parent, "overwrite=true")
    assert "MLPGenerator has none" in said(tmp_path / "new", "truncation=0.5")
    assert not (tmp_path / "new").exists()


def test_without_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    said = refused(capsys, "format=onnx")
    assert "pip install -c constraints.txt -e '.[onnx]'" in said
    file = generator_file(tmp_path / "run", "MLPGenerator")
    main([f"generator={file}", "format=torch", f"output={tmp_path / 'out'}"])  # needs none of it


def test_what_goes_wrong_leaves_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is compared with torch before anything is put in place."""
    file = generator_file(tmp_path / "run", "MLPGenerator")
    folder = quiet(generator=str(file), format="torch", output=tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    wrong = lambda path: (lambda z, y: torch.zeros(len(z), 1, 8, 8), {})  # noqa: E731
    monkeypatch.setattr("gan_lightning.export.folder.open_onnx", wrong)
    said = refused(capsys, f"generator={file}", f"output={folder}", "overwrite=true")
    assert "104 of 104 images differ" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(list(tmp_path.iterdir())) == 2


def test_help_says_every_key_and_does_not_wait_for_torch() -> None:
    code = "import sys; sys.argv[1:] = ['--help']; import gan_lightning.export.__main__ as m; "
    code += "m.main(); assert not {'torch', 'numpy', 'onnx', 'yaml'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(f"\n{key}=" in done.stdout for key in KEYS)
