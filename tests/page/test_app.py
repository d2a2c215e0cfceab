"""What the page's server answers, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from gan_lightning.export.generator_file import load_generator
from gan_lightning.page.serve import make_page
from gan_lightning.pixels import to_uint8
from gan_lightning.sampling.draw import sample
from tests.page.conftest import LATENT, png_of_one

Files = Callable[..., Path]


def client(generator: Path | None) -> TestClient:
    return TestClient(make_page(generator).app(), base_url="http://127.0.0.1:8000")


def drawn(page: TestClient, **asked: Any) -> np.ndarray:
    answer = page.post("/api/images", json=asked)
    assert answer.status_code == 200, answer.text
    shape = [int(n) for n in answer.headers["x-shape"].split(",")]
    return np.frombuffer(answer.content, np.uint8).reshape(shape)


def test_the_first_picture_of_a_seed_is_that_of_sample(generator_file: Files) -> None:
    file = generator_file("labels")
    page = client(file)
    z = page.get("/api/latents?seed=3&count=4").json()["z"]
    found = drawn(page, z=z, y=[0, 1, 2, 3])
    wanted = to_uint8(sample(load_generator(file), 4, seed=3)[0]).numpy()
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1  # z is rounded


@pytest.mark.parametrize(
    ("kind", "y", "shape"),
    [
        ("labels", 7, (2, 1, 28, 28)),
        ("codes", None, (2, 1, 28, 28)),
        ("plain", None, (2, 3, 32, 32)),
        ("styles", 2, (2, 1, 28, 28)),
    ],
)
def test_every_kind_of_generator(
    generator_file: Files, kind: str, y: int | None, shape: tuple[int, ...]
) -> None:
    page = client(generator_file(kind))
    about = page.get("/api/about").json()["generator"]
    assert about["latentDim"] == LATENT
    assert (about["categories"], about["continuous"]) == ((10, 2) if kind == "codes" else (0, 0))
    assert about["truncates"] is (kind == "styles")
    z = page.get("/api/latents?seed=0&count=2").json()["z"]
    asked = {"z": z} if y is None else {"z": z, "y": y}
    found = drawn(page, **asked)
    assert found.shape == shape
    assert (found[0] != found[1]).any()


def test_truncation_makes_pictures_alike_and_can_be_undone(generator_file: Files) -> None:
    page = client(generator_file("styles"))
    z = page.get("/api/latents?seed=0&count=8").json()["z"]
    free = drawn(page, z=z, y=0).astype(float)
    bound = drawn(page, z=z, y=0, truncation=0.0).astype(float)
    assert bound.std(0).mean() < free.std(0).mean()
    assert (drawn(page, z=z, y=0) == free).all()


Z = [0.0] * LATENT


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "list of 1 to 100"),
        ({"z": []}, "list of 1 to 100"),
        ({"z": [Z] * 101, "y": 0}, "list of 1 to 100"),
        ({"z": [Z[1:]], "y": 0}, "has 16 numbers"),
        ({"z": [[*Z[1:], "1"]], "y": 0}, "numbers from"),
        ({"z": [[*Z[1:], None]], "y": 0}, "numbers from"),
        ({"z": [[*Z[1:], True]], "y": 0}, "numbers from"),
        ({"z": [[*Z[1:], 1e9]], "y": 0}, "numbers from"),
        ({"z": [[*Z[1:], 10**400]], "y": 0}, "numbers from"),
        ({"z": [Z]}, "labels are 0, 1"),
        ({"z": [Z], "y": 10}, "labels are 0, 1"),
        ({"z": [Z], "y": -1}, "labels are 0, 1"),
        ({"z": [Z], "y": "3"}, "labels are 0, 1"),
        ({"z": [Z], "y": True}, "labels are 0, 1"),
        ({"z": [Z], "y": [0, 1]}, "one label, or 1 of them"),
        ({"z": [Z], "y": 0, "truncation": 0.5}, "has none"),
        ({"z": [Z], "y": 0, "truncation": 2}, "from 0 to 1"),
        ([], "no JSON object"),
        ("x", "no JSON object"),
    ],
)
def test_bad_values_are_a_sentence(generator_file: Files, asked: Any, words: str) -> None:
    page = client(generator_file("labels"))
    answer = page.post("/api/images", content=json.dumps(asked))
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"z": NaN}', b" " * (3 << 20)]
)
def test_what_is_no_request_is_refused(generator_file: Files, content: bytes) -> None:
    answer = client(generator_file("labels")).post("/api/images", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_numbers_that_json_does_not_have_are_refused(generator_file: Files) -> None:
    page = client(generator_file("labels"))
    for odd in ("NaN", "Infinity", "1e999"):
        content = json.dumps({"z": [Z], "y": 0}).replace("[[0.0", f"[[{odd}")
        assert page.post("/api/images", content=content).status_code == 400


@pytest.mark.parametrize(
    "query", ["seed=-1", "seed=x", "seed=99999999999999999999", "count=0", "count=101", "count=²"]
)
def test_bad_seeds_are_a_sentence(generator_file: Files, query: str) -> None:
    answer = client(generator_file("labels")).get(f"/api/latents?{query}")
    assert answer.status_code == 400
    assert "must be a whole number" in answer.json()["error"]


def test_only_this_machine_by_its_own_name(generator_file: Files) -> None:
    page = client(generator_file("labels"))
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1]:8000"):
        assert page.get("/api/about", headers={"host": host}).status_code == 400
    for host in ("127.0.0.1:8000", "localhost:8000", "localhost"):
        assert page.get("/api/about", headers={"host": host}).status_code == 200
    strange = {"origin": "http://evil.example"}
    assert page.post("/api/images", content="{}", headers=strange).status_code == 403
    own = {"origin": "http://127.0.0.1:8000"}
    assert page.post("/api/images", content="{}", headers=own).status_code == 400  # and looked at


def test_the_page_needs_nothing_from_elsewhere(generator_file: Files) -> None:
    page = client(generator_file("labels"))
    index = page.get("/")
    assert "default-src 'self'" in index.headers["content-security-policy"]
    names = ["main", "play", "sliders", "draw", "lab", "points", "images", "curves", "words"]
    texts = [index.text, *(page.get(f"/static/{name}.js").text for name in names)]
    assert not any("//" in text.replace("// ", "") and "http" in text for text in texts)
    for path in ("/nowhere", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert page.get(path).status_code == 404


def test_without_a_generator_the_lab_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = client(None)
    about = page.get("/api/about").json()
    assert about["generator"] is None
    assert "python train.py" in about["refusal"]
    assert page.post("/api/images", json={"z": [Z]}).status_code == 400
    assert page.post("/api/drawing", content=png_of_one()).status_code == 400
    assert len(page.get("/api/lab").json()["recordings"]) == 5


def test_points_are_for_the_lab(generator_file: Files) -> None:
    about = client(generator_file("points")).get("/api/about").json()
    assert about["generator"] is None
    assert "lab" in about["refusal"]


def test_recordings_are_served_whole(generator_file: Files) -> None:
    page = client(generator_file("labels"))
    found = page.get("/api/lab/0").json()
    field = found["arrays"]["field"]
    assert field["type"] == "u1"
    assert field["shape"][1:] == [40, 40]
    for number in ("5", "-1", "x", "1.5"):
        assert page.get(f"/api/lab/{number}").status_code == 400


def test_images_in_one_answer_are_bounded_by_their_size() -> None:
    from gan_lightning.page.player import Player

    class Large:
        image_shape, table, latent_dim = [16, 256, 256], {}, 4

    generator = torch.nn.Identity()
    assert Player(generator, Large(), Path("x")).most == 8  # type: ignore[arg-type]
