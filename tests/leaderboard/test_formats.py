"""The command: Markdown on the terminal, files by their endings, mistakes in one sentence."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from gan_lightning.leaderboard.__main__ import main
from tests.leaderboard.conftest import MakeRun
from tests.report.conftest import picture

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def sweep(make_run: MakeRun, tmp_path: Path) -> Path:
    for seed in range(3):
        run = make_run(f"sweep/a{seed}", ["x=<b>|`1"], seed, 1.0 + seed / 10)
        picture(run / "samples" / "000000100.png", 9)
        picture(run / "samples" / "000000200.png", seed)
        make_run(f"sweep/b{seed}", ["x=2"], seed, 3.0, weight=2)
    make_run("sweep/lost", [], 5, 1.0, ending={"reason": "failed: <script>alert(1)</script>"})
    return tmp_path / "sweep"


def test_markdown(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(sweep)])
    said = capsys.readouterr().out
    assert "| `x=<b>\\|'1` | 3 | 1.1 (1 to 1.2) | 200 | 3.0 | - + - | best |" in said
    assert "| reals (floor) |  | 0.25 |" in said
    assert "\\<script\\>" in said
    assert "`x=2` | 3 | 3 (3 to 3) |" in said


def test_markdown_file_with_pictures(sweep: Path, tmp_path: Path) -> None:
    page, pictures = tmp_path / "docs" / "board.md", tmp_path / "docs" / "images" / "board"
    main([str(sweep), f"output={page}", f"pictures={pictures}"])
    (written,) = pictures.iterdir()
    assert f"](images/board/{written.name})" in page.read_text()


def test_csv_has_whole_numbers_and_reasons(sweep: Path, tmp_path: Path) -> None:
    main([str(sweep), f"output={tmp_path / 'board.csv'}"])
    first, second, lost = csv.DictReader((tmp_path / "board.csv").open())
    assert first["setting"] == "x=<b>|`1"
    assert [float(first[key]) for key in ("fid", "fid_low", "fid_high")] == [1.1, 1.0, 1.2]
    assert (first["seeds"], first["unit"], first["samples"]) == ("0 1 2", "0123abcd", "500")
    assert float(second["p"]) < 0.05
    assert lost["why"].startswith("failed")


def test_comparison_as_csv(sweep: Path, tmp_path: Path) -> None:
    main([str(sweep), f"compare={sweep}", f"output={tmp_path / 'pairs.csv'}"])
    lines = [*csv.DictReader((tmp_path / "pairs.csv").open())]
    assert [line["a"] == line["b"] for line in lines if line["a"]] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name one or more folders"),
        (["SWEEP", "outptu=x.md"], "did you mean output"),
        (["SWEEP", "output=x.txt"], "must end in"),
        (["SWEEP", "output=SWEEP/a0/run.json"], "must end in"),
        (["SWEEP", "pictures=x"], "goes with output=FILE.md"),
        (["SWEEP", "scores=all"], "must be live or evaluation"),
        (["SWEEP", "overwrite=yes"], "must be true or false"),
        (["SWEEP", "compare=SWEEP/nowhere"], "no such folder"),
        (["SWEEP/a0/samples"], "holds no runs"),
        (["SWEEP", "output="], "not KEY=VALUE"),
    ],
)
def test_a_mistake_is_one_sentence(
    sweep: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([argument.replace("SWEEP", str(sweep)) for argument in arguments])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert says in said
    assert said.count("\n") == 1


def test_a_file_that_is_there_stays(sweep: Path, tmp_path: Path) -> None:
    page = tmp_path / "board.md"
    page.write_text("mine")
    with pytest.raises(SystemExit):
        main([str(sweep), f"output={page}"])
    assert page.read_text() == "mine"
    main([str(sweep), f"output={page}", "overwrite=true"])
    assert "Ranking by FID" in page.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_in_a_browser(sweep: Path, tmp_path: Path, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    file = tmp_path / "board.html"
    main([str(sweep), f"output={file}"])
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page: Any = chromium.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
        assert page.locator("tbody tr").count() == 4
        assert page.locator("figure img").evaluate("image => image.naturalWidth") == 20
        assert "seed 1, 200 images seen" in page.locator("figcaption").inner_text()
        assert said == []
        chromium.close()
