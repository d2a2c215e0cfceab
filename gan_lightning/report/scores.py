"""The scores that a run's records hold, each beside that of reals: its floor."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from gan_lightning.report.curves import Curves, Points
from gan_lightning.report.folder import FLOORS_FILE, Node, Run
from gan_lightning.report.html import Html, joined, table, tag
from gan_lightning.system.evaluation_file import (
    MOST_ROWS,
    SECTIONS,
    candidates_of,
    finite,
    node,
    score_rows,
    shown,
    value_of,
)
from gan_lightning.system.files import relative
from gan_lightning.system.untrusted import words

WATCHED = ("score/fid", "score/reverse_kl", "score/gap")  # the first there is chooses the best
HELD_OUT = ("log_p(held-out)", "accuracy/bayes", "elbo/held-out")
MOST_CANDIDATES = 8


def live_floors(run: Run) -> dict[str, float]:
    """Return the floors of the live scores, by the name of their curve.

    They are in floors.json, which the run writes at its end. Of an older run an evaluation of the
    same data and as many samples has them too, unless it was made in other features.
    """
    found = run.floors.get("scores")
    if isinstance(found, dict):
        known = {f"score/{name}": finite(value) for name, value in found.items()}
        return {name: value for name, value in known.items() if value is not None}
    for record in reversed(run.evaluations.values()):
        network, data = record.get("network"), record.get("data")
        same = isinstance(data, dict) and data.get("name") == run.setting("data.name")
        count = run.setting("callbacks.scores.num_samples")
        if not same or record.get("num_samples") != count or not isinstance(network, dict):
            continue
        if "num_features" not in node(network.get("arguments")):  # not the classifier's
            continue
        floors = record.get("floors")
        train = floors.get("train") if isinstance(floors, dict) else None
        value = value_of(train.get("fid")) if isinstance(train, dict) else None
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
    candidates = candidates_of(record)[:MOST_CANDIDATES]
    names = [words(one.get("name"), 80) for one in candidates]
    found = score_rows(record, candidates)
    for section, rows in groupby(found, key=lambda row: row.section):
        head = [SECTIONS.get(section, "score"), *names, "reals (floor)"]
        yield table(head, [(row.title, *row.values, row.floor) for row in rows])


def _at(points: Points, seen: int) -> str:
    return shown(next((value for x, value in reversed(points) if x == seen), None))
