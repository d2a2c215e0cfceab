"""The runs below folders: what each reached, or why it stands in no ranking."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import is_plain, split_target
from gan_lightning.export.rebuild import blank
from gan_lightning.leaderboard.measures import (
    Evaluations,
    Measure,
    Scores,
    evaluated,
    indexed,
    live,
)
from gan_lightning.leaderboard.settings import Settings, settings_of
from gan_lightning.networks.base import Discriminator, Generator, parameter_count
from gan_lightning.report.curves import read_curves
from gan_lightning.report.folder import MARKS, Run, read_evaluations, read_run
from gan_lightning.system.files import relative
from gan_lightning.system.untrusted import words

MOST_LAYERS = 1000  # of a network that is built to be counted
MOST_EVALUATIONS = 1000  # files of one folder
NETWORKS: dict[str, type[Generator] | type[Discriminator]] = {
    "generator": Generator,
    "discriminator": Discriminator,
}


@dataclass
class Result:
    """What one run reached; `why` it is not ranked, "" if it can be."""

    folder: Path
    settings: Settings
    seed: str
    started: str
    commit: str
    scores: dict[Measure, Scores]
    images: int
    minutes: float
    parameters: tuple[int | None, int | None]  # of G and D; None: not known
    why: str


@dataclass
class Found:
    """All runs below some folders, and what else there is to say."""

    results: list[Result]
    remarks: list[str]


def read_runs(folders: Sequence[Path]) -> Found:
    """Read all runs in and below the folders.

    Raises:
        UserError: a folder is not there, or holds no run.
    """
    runs: dict[Path, Run] = {}
    others: dict[Path, Run] = {}  # folders of folders, which may have an evaluation.json too
    remarks: list[str] = []
    for top in folders:
        if not top.is_dir():
            raise UserError(f"{top}: no such folder")
        before = len(runs)
        for folder, is_run in _walk(top, remarks):
            if is_run:
                runs.setdefault(folder.resolve(), read_run(folder))
                continue
            others[folder.resolve()] = Run(folder)
            read_evaluations(others[folder.resolve()], MOST_EVALUATIONS)
        if len(runs) == before and not any(run.is_relative_to(top.resolve()) for run in runs):
            raise UserError(
                f"{top} holds no runs: no folder in it has {', '.join(MARKS)}; name the folder of "
                "a run or a sweep, or one above"
            )
    known = [run for one in (others, runs) for run in one.values()]
    remarks += [f"{run.folder}: {said}" for run in others.values() for said in run.remarks]
    evaluations = indexed(record for run in known for record in run.evaluations.values())
    return Found([_result(run, evaluations) for run in runs.values()], remarks)


def _walk(top: Path, remarks: list[str]) -> Iterator[tuple[Path, bool]]:
    """Yield (folder, whether it is a run's), not looking into runs; links to folders are none."""

    def lost(error: OSError) -> None:
        remarks.append(f"{error.filename} could not be read ({error.strerror}).")

    for place, inside, files in os.walk(top, onerror=lost):
        is_run = any(name in files for name in MARKS)
        inside[:] = [] if is_run else sorted(name for name in inside if name[0] != ".")
        yield Path(place), is_run


def _result(run: Run, evaluations: Evaluations) -> Result:
    curves = read_curves(run.curves_text)
    settings = settings_of(run)
    last = run.sessions[-1] if run.sessions else {}
    said, commit = last.get("images_seen"), words(last.get("git_commit"), 80)
    seen = max(curves.last, said if type(said) is int else 0)
    scores = live(run, curves, "data.root" in settings.config)
    at = max((curves.series[f"score/{m.score}"][-1][0] for m in scores), default=seen)
    scores = (scores if at == seen else {}) | evaluated(run, evaluations)
    why = _why_not(run, scores)
    if at < seen and why.startswith("no score"):
        why = f"metrics.csv has scores up to {at:,} of {seen:,} images seen: the last are missing"
    if why and (broken := [*run.remarks, *curves.remarks]):
        why += f" ({' '.join(broken)})"
    return Result(
        folder=run.folder,
        settings=settings,
        seed=words(run.setting("seed")) or words(last.get("seed")) or "not known",
        started=words(last.get("start"), 40),
        commit=commit[:7] + "+" * commit.endswith("+"),
        scores=scores,
        images=seen,
        minutes=run.minutes[0],
        parameters=(_size(run, "generator"), _size(run, "discriminator")),
        why=why,
    )


def _why_not(run: Run, scores: dict[Measure, Scores]) -> str:
    """Return why a run cannot be ranked; "" if it can."""
    if not run.record:
        return "how it ended is not known: there is no run.json that can be read"
    if words(run.sessions[-1].get("reason") if run.sessions else "") != "complete":
        return run.ended
    if not run.config:
        return "its settings are not known: there is no config.yaml that can be read"
    if not scores:
        return (
            "no score: metrics.csv has no score/fid, score/reverse_kl or score/gap, and no "
            f"evaluation has its generator: python evaluate.py generator={relative(run.folder)}"
        )
    return ""


def _size(run: Run, name: str) -> int | None:
    node = run.setting(f"model.{name}")
    return _count(name, json.dumps(node, default=str)) if isinstance(node, dict) else None


@cache
def _count(name: str, node: str) -> int | None:
    """Return the parameters of a network of this package, built without weights; else None."""
    try:
        class_name, arguments = split_target(json.loads(node), NETWORKS[name])
        if not is_plain(list(arguments.values())):
            return None
        return parameter_count(blank(class_name, arguments, MOST_LAYERS, None, NETWORKS[name]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
