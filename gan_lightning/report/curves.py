"""metrics.csv as curves over images seen: what can be read of it, thinned, in panels."""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_POINTS, MOST_PANELS, MOST_SERIES = 400, 40, 8
Points = list[tuple[int, float]]  # (images seen, value), in order

# Title, names of the curves, note, whether a logarithmic axis is the better start.
PANELS = (
    ("FID", r"score/fid", "in the classifier's features; the lower the better", True),
    ("Precision and recall", r"score/(precision|recall)", "the higher the better", False),
    ("Losses", r"loss/.*", "", False),
    ("D(real) and D(fake)", r"D\(.*\)", "mean sigmoid of D's logits", False),
    ("Evidence lower bound", r"elbo(/.*)?", "nats per image; the higher the better", False),
    ("Reconstruction and KL", r"reconstruction|kl", "nats per image", False),
    ("Log density", r"log_p\(.*\)", "nats per pixel; the higher the better", False),
    ("Accuracy of Bayes' rule", r"accuracy/bayes", "on held-out images", False),
    ("Gradient norms", r"grad_norm/.*", "", True),
    ("Penalty on D", r"penalty", "", False),
    ("Learning rates", r"lr/.*", "", False),
    ("Images per second", r"images/s", "", False),
)
LOW = ("score/fid", "score/reverse_kl", "score/gap", "score/ks", "score/correlation")


@dataclass
class Curves:
    """The curves that could be read."""

    series: dict[str, Points] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Images seen at the last point; 0 if there is none."""
        return max((points[-1][0] for points in self.series.values()), default=0)


def read_curves(text: str) -> Curves:
    """Return the curves of metrics.csv; what is broken is left out, and a remark says so."""
    curves = Curves()
    if not text:
        return curves
    whole, end, rest = text.rpartition("\n")
    if rest.strip():
        curves.remarks.append("The last line of metrics.csv is cut off, and left out.")
    rows = csv.reader((whole + end).splitlines())
    wrong = strange = 0
    try:
        names = next(rows, [])
        if "images_seen" not in names:
            curves.remarks.append("metrics.csv has no column images_seen: it holds no curves.")
            return curves
        at = names.index("images_seen")
        for row in rows:
            if len(row) != len(names) or not re.fullmatch(r"\d{1,15}", row[at], re.ASCII):
                wrong += bool(row)
                continue
            for name, cell in zip(names, row, strict=True):
                if cell and name != "images_seen":
                    value = _number(cell)
                    strange += value is None
                    if value is not None:
                        curves.series.setdefault(name, []).append((int(row[at]), value))
    except csv.Error as error:
        curves.remarks.append(f"metrics.csv could not be read to its end ({error}).")
    for points in curves.series.values():
        points.sort(key=lambda point: point[0])
    if wrong:
        curves.remarks.append(f"Broken lines of metrics.csv that are left out: {wrong:,}.")
    if strange:
        curves.remarks.append(f"Values that are no finite numbers, left out: {strange:,}.")
    return curves


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def thinned(points: Points, most: int = MOST_POINTS) -> Points:
    """Return at most `most` points: the lowest and the highest of each stretch, and both ends."""
    if len(points) <= most:
        return points
    inner, stretches = points[1:-1], (most - 2) // 2
    kept = [points[0]]
    for index in range(stretches):
        part = inner[index * len(inner) // stretches : (index + 1) * len(inner) // stretches]
        places = {min(range(len(part)), key=lambda i: part[i][1])}
        places.add(max(range(len(part)), key=lambda i: part[i][1]))
        kept += [part[place] for place in sorted(places)]
    return [*kept, points[-1]]


def panels(curves: Curves, floors: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what page.js draws, a chart each; a floor is that of reals, by the curve's name."""
    left, drawn = dict(curves.series), []
    for title, pattern, note, log in PANELS:
        names = [name for name in left if re.fullmatch(pattern, name)]
        if names:
            drawn.append(_panel(title, {name: left.pop(name) for name in names}, note, log, floors))
    for name, points in left.items():
        title = name.removeprefix("score/").replace("_", " ")
        note = "the lower the better" if name in LOW else ""
        drawn.append(_panel(title, {name: points}, note, name in LOW, floors))
    if len(drawn) > MOST_PANELS:
        curves.remarks.append(
            f"metrics.csv has curves for {len(drawn):,} charts: {MOST_PANELS} are drawn."
        )
    return drawn[:MOST_PANELS]


def _panel(
    title: str, series: dict[str, Points], note: str, log: bool, floors: Mapping[str, float]
) -> dict[str, Any]:
    shown = {name: thinned(points) for name, points in [*series.items()][:MOST_SERIES]}
    return {
        "title": title[:80],
        "note": note,
        "log": log,
        "series": [
            {
                "name": name[:60],
                "x": [x for x, _ in points],
                "y": [float(f"{y:.7g}") for _, y in points],
                "floor": floors.get(name),
            }
            for name, points in shown.items()
        ],
    }
