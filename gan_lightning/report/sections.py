"""The parts of the page below its head."""

from collections.abc import Iterator

from gan_lightning.report.curves import Curves
from gan_lightning.report.folder import Run, when
from gan_lightning.report.html import Html, joined, table, tag, text
from gan_lightning.report.pictures import GIF_FILE
from gan_lightning.system.evaluation_file import shown
from gan_lightning.system.files import relative
from gan_lightning.system.untrusted import words

MOST_CONFIG, MOST_SESSIONS = 100_000, 50
FILES = {  # what stands in a run folder, and what it is for
    "best.safetensors": "the averaged generator of the best score so far: what sample.py takes",
    "generator.safetensors": "the averaged generator, the latest",
    "discriminator.safetensors": "the latest D, for sample.py mode=judge and mode=best",
    "judge.safetensors": "D trained on until it decides",
    "checkpoints/last.ckpt": "to resume from",
    "checkpoints/best.ckpt": "the checkpoint of the best score so far",
    "config.yaml": "every setting",
    "metrics.csv": "the curves",
    "floors.json": "what held-out reals score",
    "loggers.json": "the run's id in wandb, MLflow or Trackio",
    "lab.npz": "a recording for the page's lab",
    "run.json": "every start of the run",
    "run.log": "what the doctor said",
    GIF_FILE: "the grids of this page as a GIF",
}


def players(frames: dict[str, list[list[str]]]) -> Iterator[Html]:
    """Yield a figure for each kind of picture, (caption, address) by its name, with a slider."""
    if not frames:
        yield tag("p", "There are no pictures: samples/ holds no PNG that can be shown.")
    many = tag("p", "Always the same latents. Arrow keys move the slider.", class_="note")
    yield many if any(len(one) > 1 for one in frames.values()) else Html()
    figures = []
    for name, shown_ in frames.items():
        (words_, address), last = shown_[-1], len(shown_) - 1
        image = Html(f'<img alt="{text(name)}, {text(words_)}" src="{address}">')
        steer = Html(
            '<button type="button">Play</button>'
            f'<input type="range" min="0" max="{last}" value="{last}" step="1" '
            f'aria-label="{text(name)}: images seen">'
        )
        bar = tag("div", steer, class_="bar") if last else Html()
        label = tag("figcaption", tag("strong", name.replace("_", " ")), " ", tag("output", words_))
        figures.append(tag("figure", label, image, bar, class_="player", data_strip=name))
    yield tag("div", *figures, class_="players")


def charts(curves: Curves) -> Html:
    """Return the place that page.js draws the charts in."""
    if not curves.series:
        return tag("p", "There are no curves: metrics.csv is missing or holds none.")
    hint = tag(
        "p",
        "Point at a chart, or focus it and press the arrow keys, to read values. "
        "A dashed line is a floor.",
        class_="note",
    )
    none = tag("noscript", tag("p", "The charts are drawn by a script, and scripts are off here."))
    return joined([hint, none, tag("div", id="charts")])


def doctor(run: Run) -> Html:
    """Return what the doctor said."""
    if not run.log:
        off = bool(run.config) and run.setting("callbacks.doctor") is None
        return tag("p", "The doctor was off." if off else "Nothing (there is no run.log).")
    head = ("time", "images seen", "words")
    rows = [(at, f"{int(n):,}" if n else "", said) for at, n, said in run.log]
    return table(head, rows, numbers=False)


def files(run: Run) -> Iterator[Html]:
    """Yield which file is which, and the next commands."""
    rows = []
    for name, use in FILES.items():
        file = run.folder / name
        if file.is_file():
            rows.append(
                (
                    tag("code", name),
                    f"{file.stat().st_size / 1000:,.0f} kB",
                    use + _standing(run, name),
                )
            )
    yield table(("file", "size", "what it is"), rows, numbers=False)
    here = relative(run.folder)
    commands = [f"python sample.py generator={here}", f"python evaluate.py generator={here}"]
    commands = commands if run.generators else []
    commands += [f"python train.py resume={here}"] * (
        run.folder / "checkpoints/last.ckpt"
    ).is_file()
    yield tag("pre", "\n".join(commands)) if commands else Html()


def _standing(run: Run, name: str) -> str:
    """Return how good the generator of a file was, and when."""
    about = run.generators.get(name, {})
    seen, scores = about.get("images_seen"), about.get("scores")
    fid = shown(scores.get("score/fid")) if isinstance(scores, dict) else "-"
    words_ = f"FID {fid}, " if fid != "-" else ""
    return f" ({words_}{seen:,} images seen)" if type(seen) is int else ""


def sessions(run: Run) -> Iterator[Html]:
    """Yield every start of the run."""
    if not run.sessions:
        yield tag("p", "run.json has no start of this run.")
        return
    head = ("start (UTC)", "end", "how it ended", "images seen", "seed", "commit", "command")
    rows = []
    for one in run.sessions[-MOST_SESSIONS:]:
        seen, times = one.get("images_seen"), [when(one.get(key)) for key in ("start", "end")]
        start, end = (t.strftime("%Y-%m-%d %H:%M:%S") if t else "-" for t in times)
        commit = words(one.get("git_commit"), 80)
        cells = [words(one.get("reason")) or "-", f"{seen:,}" if type(seen) is int else "-"]
        cells += [words(one.get("seed"), 40) or "-", commit[:12] or "-"]
        rows.append((start, end, *cells, tag("code", words(one.get("command")))))
    yield table(head, rows, numbers=False)


def config(run: Run) -> Html:
    """Return the settings, folded."""
    if not run.config_text:
        return tag("p", "config.yaml is missing or could not be read.")
    whole = len(run.config_text)
    cut = f"\n... ({whole:,} characters in all)" if whole > MOST_CONFIG else ""
    summary = tag("summary", "config.yaml: every setting, resolved")
    return tag("details", summary, tag("pre", run.config_text[:MOST_CONFIG] + cut))
