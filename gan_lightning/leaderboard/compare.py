"""Two folders row by row: the same setting in both, and whether it got better."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_lightning.leaderboard.board import Group, Row, grouped, rankings
from gan_lightning.leaderboard.measures import Measure
from gan_lightning.leaderboard.sections import TITLES, Section, interval_words, spread, test_words
from gan_lightning.leaderboard.settings import names, shared, varying
from gan_lightning.leaderboard.statistics import holm, verdict, welch
from gan_lightning.system.files import relative

Places = dict[tuple[Measure, str], Row]  # by measure and setting


@dataclass
class Pair:
    """One setting in both folders, in one measure."""

    measure: Measure
    a: Row
    b: Row
    p: float | None = None  # corrected for the number of pairs

    @property
    def medians(self) -> tuple[float, float]:
        """The median scores in both."""
        score = self.measure.score
        return statistics.median(self.a.values(score)), statistics.median(self.b.values(score))

    @property
    def change(self) -> str:
        """The change from A to B, in per cent of A."""
        a, b = self.medians
        return f"{100 * (b / a - 1):+.1f} %" if a else "-"

    @property
    def said(self) -> str:
        """What the test says."""
        return verdict(self.p, min(len(self.a.runs), len(self.b.runs)))


@dataclass
class Comparison:
    """The pairs, and what stands in one folder alone or nowhere."""

    pairs: list[Pair]
    alone: list[tuple[str, str]]  # setting, where it stands
    everywhere: list[str]  # the overrides that all of A have, and all of B
    apart: list[tuple[Path, str]]
    remarks: list[str]


def compare(a: Sequence[Path], b: Sequence[Path], scores: str | None = None) -> Comparison:
    """Return the settings of two sets of folders side by side.

    Settings are the same if they have the same values of all that varies in A or in B; what all
    of A have and all of B have may differ: that is what is compared.

    Raises:
        UserError: a folder is not there, or holds no run.
    """
    sides = [grouped(folders, scores) for folders in (a, b)]
    kept = [[settings for settings, _ in groups] for groups, _, _ in sides]
    keys = {key for rows in kept for key in varying(rows)}
    boards = _both_boards([groups for groups, _, _ in sides], [names(rows, keys) for rows in kept])
    both = [place for place in boards[0] if place in boards[1]]
    pairs = [Pair(measure, boards[0][measure, n], boards[1][measure, n]) for measure, n in both]
    found = {
        i: welch(pair.a.values(pair.measure.score), pair.b.values(pair.measure.score))
        for i, pair in enumerate(pairs)
    }
    for i, p in holm({i: p for i, p in found.items() if p is not None}).items():
        pairs[i].p = p
    return Comparison(
        pairs,
        _alone("A", *boards) + _alone("B", *reversed(boards)),
        [" ".join(f"{k}={v}" for k, v in shared(rows).items()) or "none" for rows in kept],
        [item for _, apart, _ in sides for item in apart],
        [
            f"{side}: {remark}"
            for side, (_, _, remarks) in zip("AB", sides, strict=True)
            for remark in remarks
        ],
    )


def _alone(side: str, one: Places, other: Places) -> list[tuple[str, str]]:
    """Return the settings that are in one folder alone, and where."""
    left = [place for place in one if place not in other]
    return [(name, f"{side} alone. {measure.words}") for measure, name in left]


def _both_boards(groups: list[list[Group]], named: list[list[str]]) -> list[Places]:
    """Return the rows of A and of B, measured alike wherever both can be."""
    of_a = {id(run) for _, runs in groups[0] for run in runs}
    found: list[Places] = [{}, {}]
    for ranking in rankings(groups[0] + groups[1], named[0] + named[1]):
        for row in ranking.rows:
            side = found[id(row.runs[0]) not in of_a]
            side[ranking.measure, row.name] = row
    return found


def compared(found: Comparison, a: Sequence[Path], b: Path) -> list[Section]:
    """Return the comparison as sections."""
    where = [f"A: {' '.join(map(str, a))}", f"B: {b}"]
    common = [f"{x}; all have {y}" for x, y in zip(where, found.everywhere, strict=True)]
    sections = []
    for measure in dict.fromkeys(pair.measure for pair in found.pairs):
        pairs, score = [p for p in found.pairs if p.measure == measure], measure.score
        title = TITLES.get(score, score)
        rows = [
            [
                pair.a.name,
                *(f"{len(row.runs)}" for row in (pair.a, pair.b)),
                *(spread(row.values(score)) for row in (pair.a, pair.b)),
                pair.change,
                pair.said,
            ]
            for pair in pairs
        ]
        head = ["setting", "seeds A", "seeds B", f"{title} A", f"{title} B", "B against A", "test"]
        lines = [*common, measure.words, *interval_words([r for p in pairs for r in (p.a, p.b)])]
        lines += test_words("Test", [pair.p for pair in pairs])
        sections.append(Section(f"{title}, row by row", lines, head, rows))
    if not found.pairs:
        sections.append(Section("Row by row", [*common, "No setting is in both, measured alike."]))
    if found.alone:
        rows = [[*one] for one in found.alone]
        sections.append(Section("In one alone", [], ["setting", "where"], rows, numbers=False))
    if found.apart:
        rows = [[relative(folder), why] for folder, why in found.apart]
        sections.append(Section("Not compared", [], ["run", "why"], rows, numbers=False))
    return sections + ([Section("Remarks", found.remarks)] if found.remarks else [])


def pair_records(found: Comparison) -> list[dict[str, object]]:
    """Return the comparison as rows of a CSV file, the settings in one folder alone last."""
    lines: list[dict[str, object]] = []
    for pair in found.pairs:
        a, b = pair.medians
        line: dict[str, object] = {"setting": pair.a.name, "score": pair.measure.score}
        line |= {"a": a, "b": b, "seeds_a": len(pair.a.runs), "seeds_b": len(pair.b.runs)}
        line |= {"p": "" if pair.p is None else pair.p, "test": pair.said}
        lines.append(line | {"measure": pair.measure.words})
    lines += [{"setting": name, "why": where} for name, where in found.alone]
    return lines + [{"run": relative(folder), "why": why} for folder, why in found.apart]
