"""The scores that a run's records hold, each beside that of reals: its floor."""

from collections.abc import Iterator, Mapping
from typing import Any

from gan_lightning.report.curves import Curves, Points
from gan_lightning.report.folder import FLOORS_FILE, Node, Run, words
from gan_lightning.report.html import Html, joined, table, tag
from gan_lightning.system.files import relative

WATCHED = ("score/fid", "score/reverse_kl", "score/gap")  # the first there is chooses the best
HELD_OUT = ("log_p(held-out)", "accuracy/bayes", "elbo/held-out")
SECTIONS = {"train": "against the training split", "test": "against the test split", "own": ""}
LIVE_SCALE = {"kid": 1000.0}  # evaluate.py's table shows it so many times
MOST_ROWS, MOST_CANDIDATES = 60, 8


def live_floors(run: Run) -> dict[str, float]:
    """Return the floors of the live scores, by the name of their curve.

    They are in floors.json, which the run writes at its end. Of an older run an evaluation of the
    same data and as many samples has them too, unless it was made in other features.
    """
    found = run.floors.get("scores")
    if isinstance(found, dict):
        known = {f"score/{name}": _finite(value) for name, value in found.items()}
        return {name: value for name, value in known.items() if value is not None}
    for record in reversed(run.evaluations.values()):
        network, data = record.get("network"), record.get("data")
        same = isinstance(data, dict) and data.get("name") == run.setting("data.name")
        count = run.setting("callbacks.scores.num_samples")
        if not same or record.get("num_samples") != count or not isinstance(network, dict):
            continue
        if "num_features" not in _dict(network.get("arguments")):  # not the classifier's
            continue
        floors = record.get("floors")
        train = floors.get("train") if isinstance(floors, dict) else None
        value = number(train.get("fid")) if isinstance(train, dict) else None
        if value is not None:
            return {"score/fid": value}
    return {}


def best_position(run: Run, curves: Curves) -> int | None:
    """Return the images seen by the best generator; None if the run has no score to say so."""
    seen = run.generators.get("best.safetensors", {}).get("images_seen")
    if type(seen) is int:
        return seen
    for name in WATCHED:
        if name in curves.series:
            return min(curves.series[name], key=lambda point: point[1])[0]
    return None


def final_scores(run: Run, curves: Curves, floors: Mapping[str, float]) -> Html:
    """Return the table of the best and the last scores."""
    names = [name for name in curves.series if name.startswith("score/") or name in HELD_OUT]
    if not names:
        return tag("p", "This run has no scores: metrics.csv has no column score/...")
    best, last = best_position(run, curves), max(curves.series[n][-1][0] for n in names)
    head: list[str] = ["score"]
    head += [f"best generator, {best:,} images"] if best is not None else []
    head += [f"latest, {last:,} images"] + ["reals (floor)"] * bool(floors)
    rows = []
    for name in names[:MOST_ROWS]:
        cells = [_at(curves.series[name], best)] if best is not None else []
        cells += [_at(curves.series[name], last)]
        cells += [shown(floors.get(name))] * bool(floors)
        rows.append((name.removeprefix("score/").replace("_", " "), *cells))
    return joined([table(head, rows), tag("p", _about(run, floors), class_="note")])


def _about(run: Run, floors: Mapping[str, float]) -> str:
    count = run.setting("callbacks.scores.num_samples")
    text = (
        f"Scores of {count:,} samples, against the training split. " if type(count) is int else ""
    )
    if not floors:
        return text + (
            f"No floor is known (no {FLOORS_FILE}, no evaluation.json): python evaluate.py "
            f"generator={relative(run.folder)} writes one."
        )
    reals = run.floors.get("reals")
    text += "The floor is what held-out reals score: a perfect generator has it."
    if type(reals) is int and type(count) is int and reals < count:
        text += f" It stands on {reals:,} reals alone, so that its distances are too high."
    return text


def evaluations(run: Run) -> Html:
    """Return the tables of the run's evaluation.json files."""
    parts = []
    for name, record in run.evaluations.items():
        found = joined(_tables(record))
        parts += [tag("h3", name), found or tag("p", f"{name} holds no scores that can be shown.")]
    return joined(parts)


def _tables(record: Node) -> Iterator[Html]:
    listed = record.get("candidates")
    candidates = [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []
    candidates = candidates[:MOST_CANDIDATES]
    names = [words(c.get("name"), 80) for c in candidates]
    floors = record.get("floors")
    nested = isinstance(floors, dict)
    for section, title in SECTIONS.items() if nested else {"": ""}.items():
        scores = [_dict(c.get("scores")) for c in candidates]
        floor = _dict(record.get("floor"))
        if nested:
            scores = [_dict(one.get(section)) for one in scores]
            floor = _dict(_dict(floors).get(section))
        known = list(dict.fromkeys(key for one in scores for key in one))[:MOST_ROWS]
        if known:
            rows = [
                (_title(record, key), *(shown(one.get(key), key) for one in [*scores, floor]))
                for key in known
            ]
            yield table([title or "score", *names, "reals (floor)"], rows)


def _title(record: Node, key: str) -> str:
    about = _dict(_dict(record.get("definitions")).get(key))
    arrow = {"low": " ↓", "high": " ↑"}.get(words(about.get("better")), "")
    return (words(about.get("title"), 80) or key.replace("_", " ")[:80]) + arrow


def shown(score: Any, name: str = "") -> str:
    """Return a score, a number or {value, margin}, as text; "-" if there is none."""
    value = number(score)
    if value is None:
        return words(_dict(score).get("value"), 8) or "-"  # "inf"
    scale = LIVE_SCALE.get(name, 1.0)
    text, margin = _short(value * scale), _finite(_dict(score).get("margin"))
    return text if margin is None else f"{text} ± {_short(margin * scale)}"


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 0.001 or abs(value) >= 1e6 else f"{value:,.4g}"


def _at(points: Points, seen: int) -> str:
    return shown(next((value for x, value in reversed(points) if x == seen), None))


def number(score: Any) -> float | None:
    """Return a score, a number or {value, margin}, as a number; None if it is none."""
    return _finite(score.get("value") if isinstance(score, dict) else score)


def _finite(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if good else None


def _dict(value: Any) -> Node:
    return value if isinstance(value, dict) else {}
