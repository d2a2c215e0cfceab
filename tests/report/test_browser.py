"""The page in a browser: it loads from a file, and what moves moves. Skipped without Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gan_lightning.report.page import write_report
from tests.report.conftest import MakeRun, picture

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def report(make_run: MakeRun) -> Path:
    folder = make_run(
        metrics_csv="images_seen,loss/D,score/fid\n" + "".join(f"{x},{x},\n" for x in range(1, 99))
    )
    (folder / "floors.json").write_text('{"scores": {"fid": 0.5}}')
    with (folder / "metrics.csv").open("a") as file:
        file.write("50,,20.0\n98,,2.0\n")
    for seen in (20, 50, 98):
        picture(folder / "samples" / f"{seen:09d}.png", seen)
    return write_report(folder)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_slider_charts_and_width(report: Path, browser: Any, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: said.append(request.url) if "data:" not in request.url else 0
    )
    page.goto(report.as_uri())
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    words, image = page.locator("output"), page.locator(".player img")
    last = image.get_attribute("src")
    assert words.inner_text() == "98 images seen, FID 2"
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    assert words.inner_text() == "50 images seen, FID 20"
    assert image.get_attribute("src") != last
    page.keyboard.press("Home")
    assert words.inner_text() == "20 images seen"
    page.get_by_role("button", name="Play").click()
    playwright.expect(words).to_have_text("98 images seen, FID 2")
    assert image.get_attribute("src") == last

    fid, losses = page.locator(".chart").all()
    assert "score/fid 2 (floor 0.5)" in fid.inner_text()
    assert fid.locator("line.floor").count() == 1
    before = fid.locator("path.curve").get_attribute("d")
    fid.get_by_role("button", name="log").click()
    assert fid.locator("path.curve").get_attribute("d") != before
    losses.locator("svg").hover(position={"x": 52, "y": 50})
    assert losses.locator(".read").inner_text().split("\n")[0] == "at 1"
    losses.locator("svg").focus()
    page.keyboard.press("ArrowRight")
    assert "at 2" in losses.locator(".read").inner_text()
    assert "loss/D 2" in losses.locator(".read").inner_text()
    assert [words for words in said if words[:5] != "data:"] == [report.as_uri()]
    page.close()
