"""Settings ranked: runs that differ in their seed alone are a row, a measure is a ranking."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.leaderboard.measures import EVALUATION, LIVE, Measure, Scores
from gan_lightning.leaderboard.runs import Result, read_runs
from gan_lightning.leaderboard.settings import Settings, names, shared, varying
from gan_lightning.leaderboard.statistics import holm, verdict, welch
from gan_lightning.system.files import relative


@dataclass
class Row:
    """The runs of one setting, a seed each, and their scores in one measure."""

    name: str
    settings: Settings
    runs: list[Result]
    scores: list[Scores]
    p: float | None = None  # against the best row, corrected for the number of rows
    against_best: str = "best"

    def values(self, score: str) -> list[float]:
        """The scores of the seeds that have one."""
        return [one.values[score] for one in self.scores if score in one.values]

    def middle(self, score: str) -> Result:
        """Return the run whose score is the median, or the one below it."""
        ranked = sorted(zip(self.values(score), range(len(self.runs)), strict=True))
        return self.runs[ranked[(len(ranked) - 1) // 2][1]]


@dataclass
class Ranking:
    """The rows of one measure, the best first."""

    measure: Measure
    rows: list[Row]

    @property
    def floors(self) -> dict[str, list[float]]:
        """The floors that the runs know, by score: one value unless the reals differed."""
        known: dict[str, set[float]] = defaultdict(set)
        for one in (one for row in self.rows for one in row.scores):
            for name, value in one.floors.items():
                known[name].add(float(f"{value:.6g}"))
        return {name: sorted(values) for name, values in known.items()}


@dataclass
class Board:
    """Everything below some folders."""

    rankings: list[Ranking]
    apart: list[tuple[Path, str]]  # runs in no ranking, and why
    remarks: list[str] = field(default_factory=list)
    everywhere: dict[str, str] = field(default_factory=dict)  # overrides that all rows have


Group = tuple[Settings, list[Result]]


def read_board(folders: Sequence[Path], scores: str | None = None) -> Board:
    """Return the board of all runs below the folders.

    Args:
        scores: LIVE or EVALUATION, to rank by these alone; None: by what most runs have.

    Raises:
        UserError: a folder is not there, or holds no run.
    """
    groups, apart, remarks = grouped(folders, scores)
    known = [settings for settings, _ in groups]
    alike = shared(known) if len(known) > 1 else {}  # one row alone has its own in its name
    keys = varying(known) if len(known) > 1 else {key for one in known for key in shared([one])}
    board = Board([], apart, remarks, alike)
    board.rankings = rankings(groups, names(known, keys))
    board.remarks += _mixed(board.rankings)
    return board


def grouped(
    folders: Sequence[Path], scores: str | None
) -> tuple[list[Group], list[tuple[Path, str]], list[str]]:
    """Return the runs of each setting, those that are not ranked and why, and remarks."""
    if scores not in (None, LIVE, EVALUATION):
        raise UserError(f"scores={scores} must be {LIVE} or {EVALUATION}")
    found = read_runs(folders)
    apart, groups = [], defaultdict(list)
    for result in found.results:
        wanted = {m: s for m, s in result.scores.items() if scores in (None, m.source)}
        if not result.why and not wanted:
            result.why = f"it has no scores of the kind asked for by scores={scores}"
        result.scores = wanted
        if result.why:
            apart.append((result.folder, result.why))
        else:
            groups[frozenset(result.settings.config.items())].append(result)
    kept = []
    for results in groups.values():
        newest = _one_a_seed(results, apart)
        known = [one.settings for one in newest if one.settings.overrides is not None]
        alike = shared(known) if known else None
        kept.append((Settings(alike, newest[0].settings.config), newest))
    commits = sorted({one.commit for _, newest in kept for one in newest if one.commit})
    if len(commits) > 1:
        found.remarks.append(f"The runs are of {len(commits)} commits: {', '.join(commits)}.")
    return kept, apart, found.remarks


def _one_a_seed(results: list[Result], apart: list[tuple[Path, str]]) -> list[Result]:
    """Return the newest run of each seed: two of one seed are no two measurements."""
    newest: dict[str, Result] = {}
    for result in sorted(results, key=lambda one: one.started):
        if older := newest.get(result.seed):
            why = (
                f"seed {result.seed} of this setting ran again, newer, in {relative(result.folder)}"
            )
            apart.append((older.folder, why))
        newest[result.seed] = result
    return sorted(newest.values(), key=lambda one: (len(one.seed), one.seed))


def rankings(groups: Sequence[Group], named: Sequence[str]) -> list[Ranking]:
    """Return the rankings: by the measure that most runs have first, and so on with the rest."""
    left = [(i, run) for i, (_, runs) in enumerate(groups) for run in runs]
    found = []
    while left:
        measure = max(_measures(run for _, run in left).items(), key=_preferred)[0]
        rows = []
        for i, (settings, _) in enumerate(groups):
            runs = [run for j, run in left if i == j and measure in run.scores]
            if runs:
                rows.append(Row(named[i], settings, runs, [run.scores[measure] for run in runs]))
        left = [(i, run) for i, run in left if measure not in run.scores]
        found.append(Ranking(measure, _ranked(rows, measure.score)))
    return found


def _measures(runs: Iterable[Result]) -> dict[Measure, int]:
    """Return how many runs have each measure."""
    counts: dict[Measure, int] = defaultdict(int)
    for run in runs:
        for measure in run.scores:
            counts[measure] += 1
    return counts


def _preferred(item: tuple[Measure, int]) -> tuple[int, bool, bool, int]:
    measure, runs = item
    latest = measure.generator == "latest"
    return runs, measure.source == EVALUATION, latest, measure.samples


def _ranked(rows: list[Row], score: str) -> list[Row]:
    """Return the rows by their medians, each with what a test against the first says."""
    rows = sorted(rows, key=lambda row: statistics.median(row.values(score)))
    best = rows[0].values(score)
    found = {i: welch(best, row.values(score)) for i, row in enumerate(rows) if i}
    corrected = holm({i: p for i, p in found.items() if p is not None})
    for i, row in enumerate(rows[1:], start=1):
        row.p = corrected.get(i)
        row.against_best = verdict(row.p, min(len(best), len(row.runs)))
    return rows


def _mixed(found: list[Ranking]) -> list[str]:
    """Return remarks on settings in two rankings, and on rankings beside each other."""
    remarks = []
    if len(found) > 1:
        remarks.append(
            "The rankings measure different things (see the line above each): their scores are "
            "not compared."
        )
    places: dict[str, int] = defaultdict(int)
    for row in (row for ranking in found for row in ranking.rows):
        places[row.name] += 1
    for name in (name for name, count in places.items() if count > 1):
        remarks.append(f"{name}: its seeds are in more than one ranking, measured differently.")
    for measure in (ranking.measure for ranking in found if ranking.measure.source == LIVE):
        runs = [run for r in found if r.measure == measure for row in r.rows for run in row.runs]
        scored = sum(any(m.source == EVALUATION for m in run.scores) for run in runs)
        if scored:
            remarks.append(
                f"{scored} of {len(runs)} runs ranked by live scores have an evaluation.json too; "
                "to rank by those, score the others by python evaluate.py, or set "
                f"scores={EVALUATION}."
            )
    return remarks
