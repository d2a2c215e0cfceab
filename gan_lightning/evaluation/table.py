"""The table on the terminal."""

import math

from rich.markup import escape
from rich.table import Table

from gan_lightning.evaluation.result_file import Record, read_scores
from gan_lightning.metrics.intervals import Score
from gan_lightning.metrics.scores import DEFINITIONS

SECTIONS = {"train": "vs training split", "test": "vs test split", "own": "without reference"}
SCALE = {"kid": 1000.0}


def shown(name: str, score: Score | None) -> str:
    """Return a score and its interval as text."""
    if score is None or math.isnan(score.value):
        return "-"
    value, margin = (number * SCALE.get(name, 1.0) for number in (score.value, score.margin))
    if name == "p_value":
        return f"{value:.2g}"
    digits = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1
    text = f"{value:.{digits}f}"
    return text if math.isnan(margin) else f"{text} ± {margin:.{digits}f}"


def best(name: str, scores: list[Score | None], floor: Score | None) -> int | None:
    """Return the index of the best of two or more candidates; None if it is undecided."""
    better = DEFINITIONS[name].better
    target = floor.value if floor is not None else math.nan
    distance = {
        "low": lambda value: value,
        "high": lambda value: -value,
        "reals": lambda value: abs(value - target),
    }.get(better)
    known = {
        i: distance(score.value)
        for i, score in enumerate(scores)
        if distance and score is not None and not math.isnan(distance(score.value))
    }
    return min(known, key=lambda i: known[i]) if len(known) > 1 else None


def empty_table(record: Record, floor: str) -> Table:
    """Return a table with a column for the scores' names, for each candidate and for the floor."""
    title = f"{record['data']['name']}, {record['num_samples']:,} samples each"
    table = Table(title=f"{title}, unit {record['unit']}", title_justify="left")
    table.add_column("score", no_wrap=True)
    for candidate in record["candidates"]:
        table.add_column(escape(candidate["name"]), justify="right", overflow="fold")
    table.add_column(floor, justify="right")
    return table


def score_table(record: Record) -> Table:
    """Return the table of an evaluation: a row per score, a column per candidate, floors last."""
    count, candidates = record["num_samples"], record["candidates"]
    table = empty_table(record, "reals (floor)")
    for section, heading in SECTIONS.items():
        floors = read_scores(record["floors"][section])
        found = [read_scores(candidate["scores"][section]) for candidate in candidates]
        stands_on = record["floor_samples"].get(section, count)
        note = f", floor of {stands_on:,}" if stands_on != count else ""
        table.add_section()
        table.add_row(f"[italic]{heading}{note}")
        for name in DEFINITIONS:
            scores = [scores.get(name) for scores in found]
            if all(score is None for score in scores):
                continue
            winner = best(name, scores, floors.get(name))
            cells = [shown(name, score) for score in scores]
            cells = [f"[bold]{c}[/bold]" if i == winner else c for i, c in enumerate(cells)]
            arrow = {"low": " ↓", "high": " ↑"}.get(DEFINITIONS[name].better, "")
            table.add_row(DEFINITIONS[name].title + arrow, *cells, shown(name, floors.get(name)))
    return table
