"""Parallel coordinates: an axis a setting and one for the score, a line a trial."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

from gan_lightning.search.space import Dimension, shown

TICKS = 5
Trial = tuple[Mapping[str, Any], float | None]  # settings, and the score; None: pruned


def draw(path: Path, space: Sequence[Dimension], metric: str, trials: Sequence[Trial]) -> None:
    """Write the picture; pruned trials are grey, and end before the axis of the score.

    Two or more trials must have a score.
    """
    scores = [score for _, score in trials if score is not None]
    last = Dimension(metric, low=min(scores), high=max(scores), log=min(scores) > 0)
    figure = Figure(figsize=(1.9 * (len(space) + 1), 4.2), layout="constrained")
    axes = figure.subplots()
    colours = colormaps["plasma"]
    for settings, score in sorted(trials, key=lambda trial: -(trial[1] or math.inf)):
        heights = [height(one, settings[one.key]) for one in space]
        if score is None:
            axes.plot(range(len(space)), heights, color="0.8", linewidth=0.8, zorder=1)
            continue
        place, best = height(last, score), score == min(scores)
        style: Any = {"color": colours(0.9 * place), "linewidth": 3.0 if best else 1.2}
        axes.plot(range(len(space) + 1), [*heights, place], zorder=3 if best else 2, **style)
    for at, one in enumerate([*space, last]):
        axes.axvline(at, color="black", linewidth=0.8, zorder=4)
        for place, words in ticks(one):
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8}
            axes.text(at + 0.03, place, words, fontsize=8, va="center", bbox=box, zorder=5)
    names = [".\n".join(one.key.rsplit(".", 1)) for one in space]
    axes.set_xticks(range(len(space) + 1), [*names, metric], fontsize=8)
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(space) + 0.35)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.savefig(path, dpi=110, format="png")


def height(one: Dimension, value: Any) -> float:
    """Return where a value stands on its axis, from 0 to 1."""
    if one.choices:
        return one.choices.index(value) / (len(one.choices) - 1)
    if one.low == one.high:
        return 0.5
    if one.log:
        return math.log(value / one.low) / math.log(one.high / one.low)
    return (value - one.low) / (one.high - one.low)


def ticks(one: Dimension) -> list[tuple[float, str]]:
    """Return the labels of an axis and where they stand."""
    if one.choices:
        return [(height(one, value), shown(value)) for value in one.choices]
    count = round((one.high - one.low) / one.step) if one.step else TICKS - 1
    count = count if count < 2 * TICKS else TICKS - 1
    shares = [index / count for index in range(count + 1)]
    if one.log:
        values = [one.low * (one.high / one.low) ** share for share in shares]
    else:
        values = [one.low + (one.high - one.low) * share for share in shares]
    form = ",.0f" if one.whole else ".3g"
    return [(share, f"{value:{form}}") for share, value in zip(shares, values, strict=True)]
