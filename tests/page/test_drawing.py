"""A drawing: brought into the data's form, classified, judged, inverted; or refused."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient
from torch.nn import functional as F

from gan_lightning.data import MNISTDataModule
from gan_lightning.metrics.features.classifier import shipped_feature_network
from gan_lightning.page.asked import BadRequest
from gan_lightning.page.drawing import centred, read_png
from gan_lightning.page.serve import make_page
from tests.page.conftest import LATENT, png_of_one

Files = Callable[..., Path]


def client(generator: Path) -> TestClient:
    return TestClient(make_page(generator).app(), base_url="http://127.0.0.1:8000")


def test_ink_is_centred_and_as_large_as_mnists_wherever_it_was_drawn() -> None:
    image = centred(read_png(png_of_one()), box=20)[0, 0].float()
    rows, columns = (torch.nonzero(image.sum(axis) > 0).flatten() for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == 20
    middle = (image.sum(1) * torch.arange(28)).sum() / image.sum()
    assert abs(middle - 13.5) <= 0.5
    assert abs((columns[0] + columns[-1]) / 2 - 13.5) <= 0.5
    assert image.max() == 255


def test_digits_brought_back_from_the_canvas_are_classified_as_they_were(mnist_root: str) -> None:
    data = MNISTDataModule(root=mnist_root)
    images, labels = (part[:300] for part in data.load(train=False))
    random, made = np.random.default_rng(0), []
    for image in images:
        large = F.interpolate(image[None].float(), (200, 200), mode="bicubic")[0, 0]
        canvas = np.zeros((280, 280), np.float32)
        top, left = random.integers(0, 80, 2)
        canvas[top : top + 200, left : left + 200] = large > 110
        made.append(centred(canvas, 20))
    found = shipped_feature_network("mnist").embed(torch.cat(made)).predictions
    assert (found == labels).float().mean() > 0.98


def test_a_drawn_one_is_a_one(generator_file: Files) -> None:
    answer = client(generator_file("labels")).post("/api/drawing?label=3", content=png_of_one())
    found = answer.json()
    assert answer.status_code == 200, found
    assert (found["guess"], found["label"]) == (1, 1)
    assert np.argmax(found["p"]) == 1
    assert sum(found["p"]) == pytest.approx(1, abs=1e-4)
    assert found["picture"]["shape"] == [1, 28, 28]
    assert "run folder" in found["judge"]  # a file alone has no D


def test_the_nearest_fake_can_be_played_on_with(generator_file: Files) -> None:
    page = client(generator_file("labels"))
    found = page.post("/api/nearest?label=1", content=png_of_one()).json()
    assert found["y"] == 1
    assert len(found["z"]) == LATENT
    assert 0 < found["error"] < 1
    again = page.post("/api/images", json={"z": [found["z"]], "y": 1})
    pixels = np.frombuffer(again.content, np.uint8).astype(int)
    assert np.abs(pixels - np.array(found["picture"]["pixels"])).mean() < 4
    assert page.post("/api/nearest", content=png_of_one()).json()["y"] in range(10)


def test_d_of_a_run_judges(run_folder: Path) -> None:
    found = client(run_folder).post("/api/drawing?label=1", content=png_of_one()).json()
    assert 0 < found["pFake"][0] < 1


def test_data_without_a_classifier_have_a_sentence(generator_file: Files) -> None:
    page = client(generator_file("plain", "mine"))
    found = page.post("/api/drawing", content=png_of_one()).json()
    assert "No classifier of mine" in found["classifier"]
    assert found["picture"]["shape"] == [3, 32, 32]
    assert "p" not in found


def picture(size: tuple[int, int], kind: str = "PNG", shade: int = 255) -> bytes:
    file = BytesIO()
    Image.new("L", size, shade).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no PNG"),
        (b"GIF89a", "no PNG"),
        (picture((20, 20), "GIF"), "no PNG"),
        (png_of_one()[:200], "no PNG"),
        (png_of_one()[:50] + bytes(300), "no PNG"),
        (picture((20, 20), shade=0), "empty"),
        (picture((2000, 10)), "at most 1024"),
        (bytes(2 << 20), "larger than"),
    ],
)
def test_what_is_no_drawing_is_a_sentence(
    generator_file: Files, content: bytes, words: str
) -> None:
    page = client(generator_file("labels"))
    for path in ("/api/drawing", "/api/nearest"):
        answer = page.post(path, content=content)
        assert answer.status_code == 400
        assert words in answer.json()["error"]


@pytest.mark.parametrize("label", ["10", "-1", "x", "", "1.0"])
def test_labels_that_are_none_are_a_sentence(generator_file: Files, label: str) -> None:
    page = client(generator_file("labels"))
    answer = page.post(f"/api/drawing?label={label}", content=png_of_one())
    assert answer.status_code == 400
    assert "label" in answer.json()["error"]


def test_a_few_pixels_of_ink_are_a_drawing() -> None:
    ink = np.zeros((50, 50), np.float32)
    ink[49, 0] = 1
    assert centred(ink, 20).max() == 255
    with pytest.raises(BadRequest):
        read_png(picture((9, 9), shade=0))
