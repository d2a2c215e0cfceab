"""The page: what is in it, and that nothing in a run folder can break it or get into it."""

import json
import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from gan_lightning.report.__main__ import main
from gan_lightning.report.page import write_report
from tests.report.conftest import CONFIG, METRICS, SESSION, MakeRun, picture

EVIL = "<script>alert(1)</script>"
HIDDEN = ("script", "style")


class Reader(HTMLParser):
    """Collects what a browser would: elements, their attributes, visible text, the data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.data = "", ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.data = self.data or data
        elif self._in != "style":
            self.text += data


def read(folder: Path) -> Reader:
    return Reader(write_report(folder).read_text())


def test_the_records_of_a_run(make_run: MakeRun) -> None:
    folder = make_run()
    said = "2026-01-01 00:01:00 images_seen=1200 doctor: D wins; try penalty=r1\n"
    (folder / "run.log").write_text(said)
    text = read(folder).text
    for words in ("ring", "DCGANGenerator", "Hinge", "0123456789ab", "torch 2.15.0", "complete"):
        assert words in text
    assert "minutes3.0" in text
    assert "train.py loss=hinge" in text
    assert "1,200D wins; try penalty=r1" in text
    assert "fid2.1252.125" in text  # best and latest
    assert "name: ring" in text  # the config


def test_every_start_counts(make_run: MakeRun) -> None:
    killed = SESSION | {"end": None, "reason": "killed", "command": "train.py first"}
    folder = make_run(run_json=json.dumps({"sessions": [killed, SESSION]}))
    text = read(folder).text
    assert "train.py first" in text
    assert "minutes3.0 and those of starts without an end" in text
    assert "starts2" in text


def test_a_finished_run_has_both_files(run_folder: Path) -> None:
    page = Reader((run_folder / "report.html").read_text())
    data = json.loads(page.data)
    assert len(data["strips"]["samples"]) == 2
    assert {"Losses", "Learning rates", "Images per second"} <= {p["title"] for p in data["panels"]}
    assert "endedcomplete" in page.text
    with Image.open(run_folder / "samples.gif") as gif:
        assert gif.n_frames == 2  # type: ignore[attr-defined]


def test_the_page_asks_for_nothing(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    for tag, attributes in Reader(page).tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert (attributes.get("src") or "data:").startswith("data:image/png;base64,") or (
            "src" not in attributes
        )


def test_what_a_stranger_wrote_is_text(make_run: MakeRun) -> None:
    out = f'"></script>{EVIL}<img src=x onerror=alert(2)>'
    config = CONFIG.replace("ring", json.dumps(out)).replace("DCGAN", EVIL)
    session = dict.fromkeys(SESSION, out) | {"versions": {out: out}, "images_seen": out}
    metrics = METRICS.replace("loss/G", '"' + out.replace('"', '""') + '"')
    folder = make_run(
        config_yaml=config, run_json=json.dumps({"sessions": [session]}), metrics_csv=metrics
    )
    (folder / "run.log").write_text(f"2026-01-01 00:00:00 images_seen=5 doctor: {out}\n{out}\n")
    scores = {"scores": {"own": {out: {"value": out, "margin": out}}}, "name": out}
    about = {"title": out, "better": out}
    record = {"floors": {"own": {}}, "candidates": [scores], "definitions": {out: about}}
    (folder / "evaluation.json").write_text(json.dumps(record))
    (folder / "floors.json").write_text(json.dumps({"scores": {out: 1.0}, "reals": out}))
    picture(folder / "samples" / "000000100.png")
    strange = "&\"'>< onclick=x"
    picture(folder / "samples" / strange / "000000100.png")
    page = read(folder)
    assert EVIL in page.text  # it is shown
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert {attributes.get("src", "data:")[:5] for tag, attributes in page.tags} == {"data:"}  # type: ignore[index]
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    data = json.loads(page.data)
    assert strange in data["strips"]
    assert out[:60] in [series["name"] for panel in data["panels"] for series in panel["series"]]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"metrics_csv": None}, "There are no curves"),
        ({"metrics_csv": "a,b\n1,2\n"}, "no column images_seen"),
        ({"metrics_csv": METRICS + "300,1.2"}, "The last line of metrics.csv is cut off"),
        (
            {"metrics_csv": METRICS + "300,1.2\n"},
            "Broken lines of metrics.csv that are left",
        ),
        ({"metrics_csv": METRICS + "300,nan,x,\n"}, "no finite numbers, left out: 2"),
        ({"run_json": "{"}, "run.json is no JSON record"),
        ({"run_json": '{"sessions": [3, null]}'}, "run.json has no start of this run"),
        ({"config_yaml": "- ["}, "config.yaml is no YAML mapping"),
        ({"config_yaml": None}, "config.yaml is not there"),
        ({}, "There are no pictures"),
        ({"config_yaml": CONFIG.replace("doctor: {}", "doctor: null")}, "The doctor was off"),
        ({"floors_json": "[]"}, "floors.json is no JSON record"),
        ({"evaluation_json": '{"candidates": [{"scores": 3}], "floors": 4}'}, "holds no scores"),
    ],
)
def test_what_is_missing_or_broken_is_a_sentence(
    files: dict[str, str | None], sentence: str, make_run: MakeRun
) -> None:
    assert sentence in read(make_run(**files)).text


def test_a_broken_picture_is_a_sentence_and_the_others_are_shown(make_run: MakeRun) -> None:
    folder = make_run()
    for seen in (1, 2, 3):
        picture(folder / "samples" / f"{seen:09d}.png", seen)
    whole = (folder / "samples" / "000000002.png").read_bytes()
    (folder / "samples" / "000000002.png").write_bytes(whole[: len(whole) // 2])
    (folder / "samples" / "000000004.png").write_text("no picture")
    page = read(folder)
    assert "000000002.png, 000000004.png" in page.text
    assert len(json.loads(page.data)["strips"]["samples"]) == 2
    with Image.open(folder / "samples.gif") as gif:
        assert gif.n_frames == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["run.log", "config.yaml", "samples/000000001.png"])
def test_a_link_out_of_the_folder_is_not_followed(
    name: str, make_run: MakeRun, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    picture(secret)
    if not name.endswith("png"):
        secret.write_text("password: hunter2")
    folder = make_run()
    (folder / "samples").mkdir()
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    page = read(folder)
    assert "hunter2" not in page.text
    assert not json.loads(page.data)["strips"]


def test_many_pictures_are_skipped_evenly(make_run: MakeRun) -> None:
    folder = make_run()
    for seen in range(70):
        picture(folder / "samples" / f"{seen:09d}.png", seen, side=250)
    page = read(folder)
    shown = [words for words, _ in json.loads(page.data)["strips"]["samples"]]
    seen = [int(words.split()[0]) for words in shown]
    assert (folder / "report.html").stat().st_size < 3_000_000
    assert (folder / "samples.gif").stat().st_size <= 2_000_000
    assert seen[0] == 0
    assert seen[-1] == 69
    assert {b - a for a, b in pairwise(seen)} <= {2, 3}
    assert f"{len(seen)} of 70 pictures of samples are in this page" in page.text


def test_the_command_renews_and_says_what_is_no_run(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run()
    (folder / "report.html").write_text("old")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "empty"), str(folder), str(tmp_path / "gone"), str(tmp_path)])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == f"{folder / 'report.html'}\n"
    first, second, third = said.err.splitlines()
    assert "empty is no run folder: it has no config.yaml, run.json, metrics.csv" in first
    assert "gone: no such folder" in second
    assert f"name them, {tmp_path}/*" in third
    assert "<!doctype html>" in (folder / "report.html").read_text()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_a_sentence(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run()
    folder.chmod(0o555)
    with pytest.raises(SystemExit) as end:
        main([str(folder)])
    folder.chmod(0o755)
    assert end.value.code == 2
    assert "no report" in capsys.readouterr().err


def test_a_report_that_is_a_folder_is_a_sentence(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run()
    (folder / "report.html").mkdir()
    with pytest.raises(SystemExit) as end:
        main([str(folder)])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
