"""The page in headless Chromium, by mouse, finger and keys."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gan_lightning.page.serve import listen, make_page

playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'"
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
PIXELS = """(id) => {
  const { width, height } = document.querySelector(id);
  const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(document.querySelector(id), 0, 0);
  const data = copy.getImageData(0, 0, width, height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) >>> 0;
  return sum;
}"""
Size = tuple[int, int]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        installed = next(filter(None, map(shutil.which, NAMES)), None)
        if installed is None and not Path(play.chromium.executable_path).is_file():
            pytest.skip("no Chromium: apt-get install chromium, or playwright install chromium")
        started = play.chromium.launch(executable_path=installed)
        yield started
        started.close()


@pytest.fixture
def served() -> Iterator[Callable[[Path | None], str]]:
    """Serve pages from threads of this process; an address each."""
    running: list[tuple[uvicorn.Server, threading.Thread, socket.socket]] = []

    def serve(generator: Path | None) -> str:
        listening = listen(0)
        config = uvicorn.Config(make_page(generator).app(), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread, listening))
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield serve
    for server, thread, listening in running:
        server.should_exit = True
        thread.join()
        listening.close()


class Visitor:
    """A tab of the browser, and what its console said."""

    def __init__(self, browser: Any, address: str, size: Size, **context: Any) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(viewport=viewport, **context)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready]")

    def pixels(self, id_: str) -> int:
        return self.page.evaluate(PIXELS, id_)

    def changes(self, id_: str, act: Callable[[], object]) -> None:
        """Act, and wait until that canvas shows something else."""
        before = self.pixels(id_)
        act()
        end = time.monotonic() + 20
        while self.pixels(id_) == before:
            assert time.monotonic() < end, f"{id_} did not change"
            self.page.wait_for_timeout(20)
        self.page.wait_for_timeout(100)

    def move(self, id_: str, x: float, y: float) -> None:
        """Move the mouse to a place of an element, each from 0 to 1."""
        self.page.locator(id_).scroll_into_view_if_needed()
        box = self.page.locator(id_).bounding_box()
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def draw_a_one(self) -> None:
        self.move("#canvas", 0.5, 0.2)
        self.page.mouse.down()
        for y in (0.4, 0.6, 0.8):
            self.move("#canvas", 0.5, y)
        self.page.mouse.up()


def test_playing(
    browser: Any, served: Callable[[Path], str], generator_file: Callable[..., Path]
) -> None:
    visitor = Visitor(browser, served(generator_file("labels")), (1300, 900))
    page = visitor.page
    visitor.changes("#picture", lambda: page.click("#classes button[value='7']"))
    assert page.get_attribute("#classes button[value='7']", "aria-pressed") == "true"
    visitor.changes("#picture", lambda: page.fill("#z0", "3"))
    visitor.changes("#picture", lambda: visitor.move("#pad", 0.2, 0.8))
    visitor.changes("#around", lambda: visitor.move("#pad", 0.8, 0.3))
    kept = visitor.pixels("#picture")
    page.mouse.down()
    page.mouse.up()
    visitor.changes("#picture", lambda: visitor.move("#pad", 0.3, 0.3))
    visitor.changes("#picture", lambda: page.mouse.move(1, 1))  # it goes back to where we clicked
    assert visitor.pixels("#picture") == kept
    visitor.changes("#picture", lambda: page.press("#pad", "ArrowDown"))
    visitor.changes("#picture", lambda: page.click("#around", position={"x": 5, "y": 5}))
    visitor.changes("#around", lambda: page.fill("#spread", "1.5"))
    visitor.changes("#pad", lambda: page.click("#next-seed"))
    assert page.input_value("#seed") == "1"
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "mnist-7.png"
    assert visitor.said == []
    assert page.inner_text("#status") == ""
    visitor.context.close()


def test_drawing(
    browser: Any, served: Callable[[Path], str], generator_file: Callable[..., Path]
) -> None:
    visitor = Visitor(browser, served(generator_file("labels")), (1300, 900))
    page = visitor.page
    visitor.changes("#canvas", visitor.draw_a_one)
    page.wait_for_selector("#take:not([hidden])")
    assert "says 1" in page.inner_text("#classified")
    assert "run folder" in page.inner_text("#judged")  # there is no D
    visitor.changes("#picture", lambda: page.click("#take"))
    page.click("#clear")
    assert page.is_hidden("#answers")
    assert visitor.said == []
    visitor.context.close()


def test_the_lab(browser: Any, served: Callable[[Path | None], str], tmp_path: Path) -> None:
    visitor = Visitor(browser, served(None), (1300, 900))
    page, view = visitor.page, ".panel:nth-child(1) .view"
    page.click("#tab-lab")
    for phase, word in ((1, "D's step"), (2, "G's step")):
        visitor.changes(view, lambda: page.click("#step"))
        assert page.get_attribute(f"#phase-{phase}", "aria-current") == "step"
        assert page.inner_text(".panel:nth-child(1) .words").startswith(word)
        page.wait_for_timeout(600)  # the move is drawn
    page.click("#tab-lab")
    page.evaluate("document.activeElement.blur()")
    visitor.changes(view, lambda: page.keyboard.press("ArrowUp"))
    visitor.changes(view, lambda: page.keyboard.press("ArrowRight"))
    page.select_option("#speed", "150")
    before = page.inner_text("#seen")
    page.click("#run")
    page.wait_for_timeout(1500)
    page.click("#run")
    assert page.inner_text("#seen") != before
    assert page.get_attribute("#run", "aria-pressed") == "false"
    visitor.changes(view, lambda: page.fill("#when", "40"))
    right = ".panel:nth-child(2) .view"
    digits = ".panel:nth-child(2) select"
    visitor.changes(right, lambda: page.select_option(digits, label="digits: quickstart"))
    visitor.changes(right, lambda: page.click("#step"))
    assert visitor.said == []
    visitor.context.close()


def test_a_phone(
    browser: Any, served: Callable[[Path], str], generator_file: Callable[..., Path]
) -> None:
    visitor = Visitor(
        browser,
        served(generator_file("codes")),
        (390, 844),
        has_touch=True,
        color_scheme="dark",
    )
    page = visitor.page
    page.locator("#pad").scroll_into_view_if_needed()
    visitor.changes("#mini", lambda: page.locator("#pad").tap(position={"x": 40, "y": 200}))
    visitor.changes("#picture", lambda: page.click("#categories button[aria-pressed='false']"))
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    page.click("#tab-lab")
    assert page.evaluate(wide) <= 0
    assert visitor.said == []
    visitor.context.close()


def test_every_control_has_a_name(
    browser: Any, served: Callable[[Path], str], generator_file: Callable[..., Path]
) -> None:
    visitor = Visitor(browser, served(generator_file("styles")), (1300, 900))
    for tab in ("play", "lab"):
        visitor.page.click(f"#tab-{tab}")
        tree = visitor.page.locator("body").aria_snapshot()
        for kind in ("button", "slider", "combobox", "img", "application", "spinbutton"):
            for line in tree.splitlines():
                words = line.strip().removeprefix("- ")
                if words.split(" ")[0].rstrip(":") == kind:
                    assert '"' in words, line
    visitor.context.close()
