"""evaluation.json, read as a stranger's: its scores as text, each beside that of reals."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gan_lightning.system.untrusted import words

SECTIONS = {
    "train": "against the training images",
    "test": "against the test images",
    "own": "without reference",
}
MOST_ROWS = 60  # of a section
NONE = "-"  # in the place of a score that is not there
_SCALES = {"kid": 1000.0}  # as its title says
_ARROWS = {"low": " ↓", "high": " ↑"}
Node = dict[str, Any]


class ScoreRow(NamedTuple):
    """One score of some candidates, in words."""

    section: str  # of SECTIONS; "": modes, and rows of a table, have none
    title: str
    values: list[str]  # of each candidate
    floor: str  # what reals score


def candidates_of(record: Node) -> list[Node]:
    """Return the candidates of a record."""
    listed = record.get("candidates")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def score_rows(record: Node, candidates: list[Node]) -> Iterator[ScoreRow]:
    """Yield the scores of some of a record's candidates, section by section."""
    floors = record.get("floors")
    nested = isinstance(floors, dict)
    for section in SECTIONS if nested else [""]:
        scores = [node(one.get("scores")) for one in candidates]
        floor = node(record.get("floor"))
        if nested:
            scores = [node(one.get(section)) for one in scores]
            floor = node(node(floors).get(section))
        for name in list(dict.fromkeys(key for one in scores for key in one))[:MOST_ROWS]:
            values = [shown(one.get(name), name) for one in scores]
            yield ScoreRow(section, _title(record, name), values, shown(floor.get(name), name))


def _title(record: Node, name: str) -> str:
    about = node(node(record.get("definitions")).get(name))
    arrow = _ARROWS.get(words(about.get("better")), "")
    return (words(about.get("title"), 80) or words(name.replace("_", " "), 80)) + arrow


def shown(score: Any, name: str = "") -> str:
    """Return a score, a number or {value, margin}, as text; NONE if there is none."""
    value = value_of(score)
    if value is None:
        return words(node(score).get("value"), 8) or NONE  # "inf"
    scale = _SCALES.get(name, 1.0)
    text, margin = _short(value * scale), finite(node(score).get("margin"))
    return text if margin is None else f"{text} ± {_short(float(f'{margin * scale:.2g}'))}"


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 0.001 or abs(value) >= 1e6 else f"{value:,.4g}"


def value_of(score: Any) -> float | None:
    """Return the number of a score; None if it is none."""
    return finite(score.get("value") if isinstance(score, dict) else score)


def finite(value: Any) -> float | None:
    """Return a finite number of a record; None if it is none."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if good else None


def node(value: Any) -> Node:
    """Return a mapping of a record; {} if it is none."""
    return value if isinstance(value, dict) else {}
