"""The page: one HTML file that needs no network, and allows itself none."""

from datetime import UTC, datetime
from pathlib import Path

from gan_lightning.report.curves import Curves, panels, read_curves
from gan_lightning.report.folder import REPORT_FILE, Node, Run, read_run
from gan_lightning.report.html import HERE, Html, document, joined, json_text, tag
from gan_lightning.report.pictures import (
    GIF_FILE,
    MOST_BYTES,
    Strip,
    embedded,
    find_strips,
    write_gif,
)
from gan_lightning.report.scores import evaluations, final_scores, live_floors
from gan_lightning.report.sections import charts, config, doctor, files, players, sessions
from gan_lightning.system.evaluation_file import shown
from gan_lightning.system.files import atomic_write, relative
from gan_lightning.system.untrusted import words


def write_report(folder: Path) -> Path:
    """Write `report.html` and `samples.gif` into a run folder; return the page's path.

    Raises:
        UserError: the folder holds no run.
        OSError: it cannot be written to.
    """
    run, strips = read_run(folder), find_strips(folder)
    if strips:
        write_gif(strips[0], folder / GIF_FILE)
    page = render(run, strips).encode(errors="replace")
    path = folder / REPORT_FILE
    atomic_write(path, lambda file: file.write_bytes(page))
    return path


def render(run: Run, strips: list[Strip]) -> str:
    """Return the page."""
    curves = read_curves(run.curves_text)
    floors = live_floors(run)
    drawn = panels(curves, floors)
    pictures = {
        strip.name: embedded(strip, MOST_BYTES // len(strips), run.remarks) for strip in strips
    }
    frames = {
        name: [[caption(seen, curves), address] for seen, address in found]
        for name, found in pictures.items()
        if found
    }
    title = joined([_data_set(run), " · ", _model(run)])
    script = (HERE / "page.js").read_text(encoding="utf-8")
    sections = [
        tag("section", tag("h2", "Pictures over time"), *players(frames)),
        tag("section", tag("h2", "Scores"), final_scores(run, curves, floors), evaluations(run)),
        tag("section", tag("h2", "Curves over images seen"), charts(curves)),
        tag("section", tag("h2", "What the doctor said"), doctor(run)),
        tag("section", tag("h2", "Files, and what to do with them"), *files(run)),
        tag("section", tag("h2", "Starts of this run"), *sessions(run)),
        tag("section", tag("h2", "Settings"), config(run)),
    ]
    remarks = [*run.remarks, *curves.remarks]
    if remarks:
        listed = tag("ul", *(tag("li", remark) for remark in remarks))
        sections.append(tag("section", tag("h2", "What this page lacks"), listed))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    foot = tag("footer", f"Written {now} by python -m gan_lightning.report {relative(run.folder)}")
    top = tag("header", tag("h1", title), tag("p", run.folder.resolve().name), _facts(run, curves))
    data = {"panels": drawn, "strips": frames}
    body = joined(
        [
            tag("main", top, *sections, foot),
            tag("script", json_text(data), type="application/json", id="data"),
            Html(f"<script>{script}</script>"),
        ]
    )
    return document(title, body, script)


def caption(seen: int, curves: Curves) -> str:
    """Return what stands below a picture."""
    found = [value for x, value in curves.series.get("score/fid", []) if x == seen]
    return f"{seen:,} images seen" + (f", FID {shown(found[-1])}" if found else "")


def _class(run: Run, key: str) -> str:
    return words(run.setting(f"{key}._target_"), 200).rpartition(".")[2]


def _data_set(run: Run) -> str:
    return words(run.setting("data.name"), 80) or "data set not known"


def _model(run: Run) -> str:
    return _class(run, "model.generator") or "model not known"


def _facts(run: Run, curves: Curves) -> Html:
    """Return the list at the top."""
    last: Node = run.sessions[-1] if run.sessions else {}
    networks = [_class(run, f"model.{n}") for n in ("generator", "discriminator", "encoder")]
    seen = max([curves.last, *(n for s in run.sessions if type(n := s.get("images_seen")) is int)])
    known = last.get("versions")
    versions = known.items() if isinstance(known, dict) else []
    facts = {
        "data set": _data_set(run),
        "model": ", ".join(filter(None, networks)) or "not known",
        "method": _class(run, "method") or "not known",
        "loss": _class(run, "loss") or "that of the method",
        "images seen": f"{seen:,}",
        "minutes": _minutes(run),
        "ended": run.ended,
        "starts": f"{len(run.sessions):,}",
        "seed": words(run.setting("seed")) or words(last.get("seed")) or "not known",
        "commit": words(last.get("git_commit"), 80) or "not known",
        "versions": ", ".join(f"{words(k, 40)} {words(v, 40)}" for k, v in [*versions][:12])
        or "not known",
        "command": tag("code", words(last.get("command")) or "not known"),
    }
    return tag("dl", *(tag("div", tag("dt", k), tag("dd", v)) for k, v in facts.items()))


def _minutes(run: Run) -> str:
    """Return how long the run took, over all starts whose end is known."""
    total, open_ = run.minutes
    if open_ == len(run.sessions):
        return "not known"
    return f"{total:.{1 if total >= 1 else 2}f}" + (
        " and those of starts without an end" if open_ else ""
    )
