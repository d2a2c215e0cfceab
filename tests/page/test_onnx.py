"""The page of an exported ONNX file: onnxruntime draws, and torch's weights are not read."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from gan_lightning.errors import UserError
from gan_lightning.export.folder import Asked, export
from gan_lightning.export.generator_file import read_generator
from gan_lightning.page.serve import make_page
from tests.page.conftest import LATENT, png_of_one

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
Files = Callable[..., Path]


@pytest.fixture
def folder(generator_file: Files, tmp_path: Path) -> Path:
    """An exported folder, whose safetensors are gone so that nothing else can draw."""
    found = export(Asked(str(generator_file("labels")), output=str(tmp_path / "out")), str)
    (found / "generator.safetensors").unlink()
    return found


def client(generator: Path) -> TestClient:
    return TestClient(make_page(generator).app(), base_url="http://127.0.0.1:8000")


def test_the_pictures_are_those_of_torch(folder: Path, generator_file: Files) -> None:
    z = client(folder).get("/api/latents?seed=3&count=4").json()["z"]
    drawn = []
    for path in (folder, folder / "generator.onnx", generator_file("labels")):
        page = client(path)
        about = page.get("/api/about").json()["generator"]
        assert about["onnx"] is (path.suffix != ".safetensors")
        assert (about["labels"], about["latentDim"]) == (list(range(10)), LATENT)
        answer = page.post("/api/images", json={"z": z, "y": [0, 1, 2, 3]})
        assert answer.headers["x-shape"] == "4,1,28,28"
        drawn.append(np.frombuffer(answer.content, np.uint8).astype(int))
    assert (drawn[0] == drawn[1]).all()
    assert np.abs(drawn[0] - drawn[2]).max() <= 1  # rounding


def test_codes_are_known(generator_file: Files, tmp_path: Path) -> None:
    out = export(Asked(str(generator_file("codes")), output=str(tmp_path / "out")), str)
    about = client(out).get("/api/about").json()["generator"]
    assert (about["categories"], about["continuous"], about["onnx"]) == (10, 2, True)


def test_truncation_is_part_of_the_file(generator_file: Files, tmp_path: Path) -> None:
    asked = Asked(str(generator_file("styles")), output=str(tmp_path / "out"), truncation=0.5)
    page = client(export(asked, str))
    assert page.get("/api/about").json()["generator"]["truncates"] is False
    answer = page.post("/api/images", json={"z": [[0.0] * LATENT], "y": 0, "truncation": 0.5})
    assert (answer.status_code, "has none here" in answer.json()["error"]) == (400, True)


def test_a_drawing_gets_the_nearest_sample(folder: Path) -> None:
    page = client(folder)
    found = page.post("/api/nearest?label=1", content=png_of_one()).json()
    assert (found["y"], found["moved"]) == (1, False)
    again = page.post("/api/images", json={"z": [found["z"]], "y": 1})
    pixels = np.frombuffer(again.content, np.uint8).astype(int)
    assert np.abs(pixels - np.array(found["picture"]["pixels"])).max() <= 1
    looked = page.post("/api/drawing", content=png_of_one()).json()
    assert (looked["guess"], "no discriminator" in looked["judge"]) == (1, True)


def test_without_onnxruntime_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install -c constraints.txt -e '.\[onnx\]'"):
        make_page(folder)


def test_what_is_no_such_file_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    import onnx

    file = folder / "generator.onnx"
    strange, model = tmp_path / "strange.onnx", onnx.load(file)
    said = model.metadata_props[0].value
    for wrong in (b"", b"none", file.read_bytes()[:5000]):
        strange.write_bytes(wrong)
        with pytest.raises(UserError, match="is not an ONNX file of this project"):
            make_page(strange)
    for text in ("", "{}", "[]", said.replace("28, 28", "28, 27"), said.replace("16", "17")):
        model.metadata_props[0].value = text
        onnx.save(model, strange)
        with pytest.raises(UserError, match="is not an ONNX file of this project") as raised:
            make_page(strange)
        assert "\n" not in str(raised.value)


def test_other_commands_name_the_file_that_they_read(folder: Path) -> None:
    with pytest.raises(UserError, match="of its folder"):
        read_generator(folder / "generator.onnx")
