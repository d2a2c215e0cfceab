"""What the trials came to: a table, search.csv, the picture and the next command."""

import csv
import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gan_lightning.errors import UserError
from gan_lightning.report.folder import read_run
from gan_lightning.report.scores import live_floors
from gan_lightning.search.asked import Asked
from gan_lightning.search.space import Dimension, shown
from gan_lightning.search.trial import folder_of, scores_of
from gan_lightning.system.files import atomic_write, relative

# In the order of the table.
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "stopped",
    TrialState.FAIL: "failed",
}


@dataclass
class Row:
    """One trial."""

    number: int
    settings: dict[str, Any]
    score: float | None
    images: int | None
    minutes: float | None
    state: str
    note: str
    floor: float | None

    @property
    def rank(self) -> tuple[int, float]:
        score = math.inf if self.score is None else self.score
        return [*STATES.values()].index(self.state), score


def rows(study: Study, asked: Asked, metric: str) -> list[Row]:
    """Return the trials, whole ones first, by their score; it is the last that each has."""
    known = study.get_trials(deepcopy=False)
    found = [_row(one, asked.folder, metric) for one in known if one.state in STATES]
    return sorted(found, key=lambda row: row.rank)


def _row(one: FrozenTrial, search: Path, metric: str) -> Row:
    folder = folder_of(search, one.number)
    points = scores_of(folder, metric)
    images, score = points[-1] if points else (None, None)
    minutes, floor, doctor = None, None, ""
    try:
        run = read_run(folder)
        minutes, floor = run.minutes[0], live_floors(run).get(metric)
        doctor = "".join(words.partition(";")[0] for _, _, words in run.log[-1:])
    except UserError:
        pass  # it failed before there was a run
    own = "the recipe's own settings" * bool(one.user_attrs.get("default"))
    note = "; ".join(filter(None, (str(one.user_attrs.get("reason", "")), own, doctor)))
    return Row(one.number, one.params, score, images, minutes, STATES[one.state], note, floor)


def finish(
    study: Study, asked: Asked, metric: str, space: Sequence[Dimension], command: str
) -> None:
    """Show the table and the next commands; write search.csv and parallel_coordinates.png."""
    console = Console(highlight=False, soft_wrap=True)
    found = rows(study, asked, metric)
    if found:
        wide = None if console.is_terminal else 200
        Console(highlight=False, width=wide).print(_table(found, space, metric))
        records = [_record(row, space, metric, asked.folder) for row in found]
        atomic_write(asked.folder / "search.csv", partial(_write, records))
    whole = [row for row in found if row.state == "complete"]
    if len(whole) > 1:
        from gan_lightning.search.picture import draw  # matplotlib

        picture = asked.folder / "parallel_coordinates.png"
        drawn = [(row.settings, row.score) for row in whole if row.score is not None]
        pruned = [(row.settings, None) for row in found if row.state == "pruned"]
        trials = [*pruned, *drawn]
        atomic_write(picture, lambda file: draw(file, space, metric, trials))
        console.print(f"picture    {escape(relative(picture))}")
    spent = float(study.user_attrs.get("seconds", 0.0))
    for line in _closing(found, asked, space, command, spent):
        console.print(escape(line))


def _closing(
    found: Sequence[Row], asked: Asked, space: Sequence[Dimension], command: str, spent: float
) -> Iterator[str]:
    """Yield the lines below the table: what to do next."""
    if found and found[0].state == "complete":
        words = [one.override(found[0].settings[one.key]) for one in space]
        yield f"best       {shlex.join(['python', 'train.py', *asked.overrides, *words])}"
    missing = asked.trials - sum(row.state != "stopped" for row in found)
    if missing > 0:
        time = " with a longer max_time" * (spent >= (asked.max_time or math.inf))
        yield f"go on      the same command{time} runs the {missing} trials left: {command}"
    else:
        yield "more       the same command with more trials"


def _table(found: Sequence[Row], space: Sequence[Dimension], metric: str) -> Table:
    title = metric.removeprefix("score/").replace("_", " ")
    title = title.upper() if title == "fid" else title
    names = [".".join(one.key.split(".")[-2:]) for one in space]
    table = Table("trial", *names, title, "images", "minutes", "state")
    for row in found:
        values = [shown(row.settings[one.key]) if one.key in row.settings else "-" for one in space]
        score = "-" if row.score is None else f"{row.score:.4g}"
        images = "-" if row.images is None else f"{row.images:,}"
        minutes = "-" if row.minutes is None else f"{row.minutes:.1f}"
        state = row.state + f": {row.note}" * bool(row.note)
        table.add_row(str(row.number), *values, score, images, minutes, escape(state))
    floors = [row.floor for row in found if row.floor is not None]
    if floors:
        table.add_section()
        table.add_row("reals (floor)", *[""] * len(names), f"{floors[0]:.4g}", "", "", "")
    return table


def _record(row: Row, space: Sequence[Dimension], metric: str, search: Path) -> dict[str, object]:
    settings = {one.key: shown(row.settings[one.key]) for one in space if one.key in row.settings}
    return {
        "trial": row.number,
        **dict.fromkeys((one.key for one in space), ""),
        **settings,
        metric: row.score,
        "floor": row.floor,
        "images_seen": row.images,
        "minutes": None if row.minutes is None else round(row.minutes, 2),
        "state": row.state,
        "note": row.note,
        "folder": relative(folder_of(search, row.number)),
    }


def _write(records: Sequence[dict[str, object]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*records[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
