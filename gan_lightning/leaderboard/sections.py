"""A board as sections of text and tables, which all formats show."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from gan_lightning.leaderboard.board import Board, Ranking, Row
from gan_lightning.leaderboard.measures import LIVE
from gan_lightning.leaderboard.runs import Result
from gan_lightning.leaderboard.statistics import LEVEL, median_interval
from gan_lightning.report.pictures import Strip, find_strips
from gan_lightning.system.evaluation_file import shown
from gan_lightning.system.files import relative

TITLES = {"fid": "FID", "cas": "CAS", "reverse_kl": "reverse KL", "ks": "KS"}
FLOOR = "reals (floor)"
# What stands beside the score that settings are ranked by, where it is known.
BESIDE = {
    "fid": ("precision", "recall", "cas"),
    "reverse_kl": ("modes",),
    "gap": ("ks", "correlation"),
}


@dataclass
class Section:
    """A heading, lines of text, a table and pictures; all but the heading may be empty."""

    title: str
    lines: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numbers: bool = True  # whether the table is one of numbers
    pictures: list[tuple[str, str, Strip]] = field(default_factory=list)  # name, words, picture


def sections(board: Board) -> list[Section]:
    """Return what a board says: its rankings, the runs apart, the remarks."""
    found = [_ranking(ranking, board) for ranking in board.rankings]
    if not board.rankings:
        found.append(Section("Ranking", ["No run can be ranked."]))
    if board.apart:
        rows = [[relative(folder), why] for folder, why in board.apart]
        found.append(Section("Not ranked", [], ["run", "why"], rows, numbers=False))
    if board.remarks:
        found.append(Section("Remarks", board.remarks))
    return found


def scores_of(ranking: Ranking) -> list[str]:
    """Return the scores that a ranking shows, the one it ranks by first."""
    score = ranking.measure.score
    beside = [n for n in BESIDE[score] if any(row.values(n) for row in ranking.rows)]
    return [score, *beside]


def _ranking(ranking: Ranking, board: Board) -> Section:
    names, first = scores_of(ranking), ranking.measure.score
    title = f"Ranking by {TITLES.get(first, first)}"
    if len(board.rankings) > 1:
        title += f" ({board.rankings.index(ranking) + 1})"
    head = ["setting", "seeds", *(TITLES.get(name, name) for name in names)]
    head += ["images seen", "minutes", "parameters G + D", "against the best"]
    rows = [
        [
            row.name,
            f"{len(row.runs)}",
            *(spread(row.values(name)) for name in names),
            span([run.images for run in row.runs]),
            f"{statistics.median(run.minutes for run in row.runs):.1f}",
            parameters(row.runs[0]),
            row.against_best,
        ]
        for row in ranking.rows
    ]
    if floors := ranking.floors:
        known = [spread(floors.get(name, [])) for name in names]
        rows.append([FLOOR, "", *known, "", "", "", ""])
    lines = [ranking.measure.words, *_floor_words(ranking), *interval_words(ranking.rows)]
    lines += test_words("Against the best", [row.p for row in ranking.rows])
    if board.everywhere:
        all_ = " ".join(f"{key}={value}" for key, value in board.everywhere.items())
        lines.append(f"All settings have {all_}")
    return Section(title, lines, head, rows, pictures=pictures(ranking.rows, first))


def _floor_words(ranking: Ranking) -> list[str]:
    """Return what there is to say of the floor."""
    if not ranking.floors:
        return [
            "No floor is known (no floors.json): python evaluate.py "
            f"generator={relative(ranking.rows[0].runs[0].folder)} measures it."
        ]
    counts = {one.reals for row in ranking.rows for one in row.scores if one.reals}
    fewer = [count for count in counts if count < ranking.measure.samples]
    if not fewer:
        return []
    return [
        f"The floor stands on {min(fewer):,} reals alone, so that its distances are too high "
        "beside scores of more samples."
    ]


def interval_words(rows: Sequence[Row]) -> list[str]:
    """Return what the numbers in brackets are."""
    counts = sorted({len(row.runs) for row in rows if len(row.runs) > 1})
    if not counts:
        return []
    sure = [f"{n} seeds {100 * median_interval([*map(float, range(n))])[2]:.0f} %" for n in counts]
    return [
        "A cell is the median over seeds, and in brackets an interval that holds the true median "
        f"with this confidence: {', '.join(sure)}."
    ]


def test_words(column: str, found: Sequence[float | None]) -> list[str]:
    """Return what the column of tests is, if one could be made."""
    if all(p is None for p in found):
        return []
    return [
        f"{column}: Welch's t test of the logarithms, a seed a value, p corrected by Holm for the "
        f"number of rows; it may be noise if p is {LEVEL} or more."
    ]


def spread(values: Sequence[float]) -> str:
    """Return the median of some values and its interval, as text; "-" of none."""
    if not values:
        return "-"
    text = shown(statistics.median(values))
    if len(values) == 1:
        return text
    low, high, _ = median_interval(values)
    return f"{text} ({shown(low)} to {shown(high)})"


def span(counts: Sequence[int]) -> str:
    """Return a count that all share, or the smallest and the largest."""
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def parameters(run: Result) -> str:
    """Return the parameters of G and of D, as text."""
    return " + ".join(
        "-" if n is None else f"{n / 1000:,.0f}k" if n >= 10_000 else f"{n:,}"
        for n in run.parameters
    )


def pictures(rows: Sequence[Row], score: str) -> list[tuple[str, str, Strip]]:
    """Return the last grid of each row's median run: (name, words, a strip of one)."""
    found = []
    for row in rows:
        run = row.middle(score)
        for strip in find_strips(run.folder)[:1]:
            words = f"seed {run.seed}, {strip.files[-1][0]:,} images seen"
            words += f", the median of {len(row.runs)}" if len(row.runs) > 2 else ""
            found.append((row.name, words, Strip(strip.name, strip.files[-1:])))
    return found


def records(board: Board) -> list[dict[str, object]]:
    """Return the board as rows of a CSV file, numbers whole; the runs apart last."""
    found: list[dict[str, object]] = []
    for number, ranking in enumerate(board.rankings, start=1):
        measure, floors = ranking.measure, ranking.floors
        for place, row in enumerate(ranking.rows, start=1):
            line: dict[str, object] = {"ranking": number, "place": place, "setting": row.name}
            line["seeds"] = " ".join(run.seed for run in row.runs)
            for name in scores_of(ranking):
                values = row.values(name)
                ends = median_interval(values)[:2] if len(values) > 1 else ("", "")
                line[name] = statistics.median(values) if values else ""
                line |= {f"{name}_low": ends[0], f"{name}_high": ends[1]}
                line[f"{name}_floor"] = statistics.median(floors[name]) if name in floors else ""
            line["images_seen"] = statistics.median(run.images for run in row.runs)
            line["minutes"] = statistics.median(run.minutes for run in row.runs)
            line["parameters_g"], line["parameters_d"] = row.runs[0].parameters
            line |= {"p": "" if row.p is None else row.p, "against_best": row.against_best}
            line |= {"scores": "live" if measure.source == LIVE else "evaluate.py"}
            line |= {"unit": measure.unit, "samples": measure.samples, "data": measure.data}
            line |= {"generator": measure.generator}
            found.append(line)
    return found + [{"run": relative(folder), "why": why} for folder, why in board.apart]
