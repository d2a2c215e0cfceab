"""From the pointer to the picture on the page: `python benchmarks/page_latency.py generator=RUN`.

Starts the page, moves the mouse over the map in headless Chromium, and prints the median and the
95th percentile in milliseconds: of a request for one image and for a 5 x 5 grid as the browser
sees them, and from the event of the pointer to the grid on the canvas.
"""

import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
TIMES = 200
ASK = """async ([count, length, label, times]) => {
  const found = [];
  for (let k = 0; k < times; k++) {
    const z = Array.from({length: count}, () => Array.from({length}, () => 2 * Math.random() - 1));
    const asked = label === null ? {z} : {z, y: label};
    const began = performance.now();
    const answer = await fetch("/api/images", {method: "POST", body: JSON.stringify(asked)});
    await answer.arrayBuffer();
    found.push(performance.now() - began);
  }
  return found;
}"""


def shown(name: str, found: list[float]) -> None:
    ordered = sorted(found)
    last = ordered[round(0.95 * (len(ordered) - 1))]
    print(f"{name}: median {statistics.median(found):.1f} ms, 95th percentile {last:.1f} ms")


def main() -> None:
    command = [sys.executable, "-m", "gan_lightning.page", "port=0", "open=false", *sys.argv[1:]]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        server.stdout.readline()
        address = server.stdout.readline().split()[0]
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"))
            page = browser.new_page(bypass_csp=True)  # for wait_for_function
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            page.wait_for_timeout(8000)  # the classifier and D are read meanwhile
            about = page.evaluate("fetch('/api/about').then((a) => a.json())")["generator"]
            label = about["labels"][0] if about["labels"] else None
            for name, count in (("request of 1 image", 1), ("request of 5 x 5 images", 25)):
                asked = [count, about["latentDim"], label, TIMES]
                shown(name, page.evaluate(ASK, asked)[10:])
            box = page.locator("#pad").bounding_box()
            assert box is not None
            found = []
            for k in range(TIMES):
                page.evaluate("delete document.body.dataset.milliseconds")
                x, y = (5 + k * 7 % 90) / 100, (5 + k * 13 % 90) / 100
                page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                page.wait_for_function("document.body.dataset.milliseconds")
                found.append(float(page.evaluate("document.body.dataset.milliseconds")))
                page.wait_for_timeout(20)
            shown("pointer to the grid on the canvas", found[10:])
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
