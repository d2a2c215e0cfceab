"""The scores of a run, each with all that it depends on: only like is ranked with like."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gan_lightning.export.generator_file import BEST_FILE, GENERATOR_FILE
from gan_lightning.report.curves import Curves
from gan_lightning.report.folder import Node, Run
from gan_lightning.report.scores import WATCHED, live_floors
from gan_lightning.system.evaluation_file import value_of
from gan_lightning.system.files import sha256
from gan_lightning.system.untrusted import words

RANKED = tuple(name.removeprefix("score/") for name in WATCHED)  # the lower the better
LIVE, EVALUATION = "live", "evaluation"
_DATA = ("channels", "resolution", "classes", "fraction", "validation")
_USUAL: dict[str, Any] = {"classes": None, "fraction": 1.0, "validation": 0}


@dataclass(frozen=True)
class Measure:
    """What a score depends on beside the generator; scores of two measures are not compared."""

    score: str  # what it ranks by
    source: str  # LIVE or EVALUATION
    generator: str  # latest or best
    unit: str
    samples: int
    neighbours: int
    data: str

    @property
    def words(self) -> str:
        """The measure in a sentence."""
        unit = f"unit {self.unit}" if self.unit else "the unit not recorded (an older run)"
        kind = {LIVE: "Live scores (metrics.csv)", EVALUATION: "Scores of evaluate.py"}[self.source]
        near = f", precision and recall of {self.neighbours:,}" if self.neighbours else ""
        best = self.generator == "best"
        kept = ", the best epoch by its own scores, which looks a little too good" if best else ""
        return (
            f"{kind}: each run's {self.generator} generator{kept}; {self.samples:,} samples{near}, "
            f"against the training split of {self.data}, {unit}."
        )


@dataclass
class Scores:
    """The scores of one run in one measure, and of reals: all by name."""

    values: dict[str, float]
    floors: dict[str, float] = field(default_factory=dict)
    reals: int | None = None  # behind the floors


def live(run: Run, curves: Curves, typed_root: bool) -> dict[Measure, Scores]:
    """Return the last scores of metrics.csv; {} if it has none that settings are ranked by."""
    name = next((name for name in WATCHED if name in curves.series), "")
    if not name:
        return {}
    last = curves.series[name][-1][0]
    values = {
        key.removeprefix("score/"): points[-1][1]
        for key, points in curves.series.items()
        if key.startswith("score/") and points[-1][0] == last
    }
    floors = {k.removeprefix("score/"): v for k, v in live_floors(run).items()}
    kept = [run.setting(f"callbacks.scores.{key}") for key in ("num_samples", "neighbours")]
    samples, neighbours = (n if type(n) is int else 0 for n in kept)
    measure = Measure(
        score=name.removeprefix("score/"),
        source=LIVE,
        generator="latest",
        unit=words(run.floors.get("unit"), 40),
        samples=samples,
        neighbours=neighbours if name == "score/fid" else 0,
        data=_data(run, typed_root),
    )
    reals = run.floors.get("reals")
    return {measure: Scores(values, floors, reals if type(reals) is int else None)}


def _data(run: Run, typed_root: bool) -> str:
    """Return the data set's name, and what of its settings changes the reals."""
    keys = (*_DATA, "root") if typed_root else _DATA
    node = {key: run.setting(f"data.{key}") for key in keys}
    changed = [f"{k}={words(str(v), 200)}" for k, v in node.items() if v != _USUAL.get(k)]
    return f"{words(run.setting('data.name'), 80) or 'data not known'} ({', '.join(changed)})"


Evaluations = dict[str, list[tuple[Node, Node]]]  # a file's SHA-256 -> (record, candidate)


def indexed(records: Iterable[Node]) -> Evaluations:
    """Return the candidates of evaluation.json files by the generator file that was scored."""
    found: Evaluations = defaultdict(list)
    for record in records:
        listed = record.get("candidates")
        for candidate in listed if isinstance(listed, list) else []:
            if isinstance(candidate, dict) and isinstance(candidate.get("sha256"), str):
                found[candidate["sha256"]].append((record, candidate))
    return found


def evaluated(run: Run, evaluations: Evaluations) -> dict[Measure, Scores]:
    """Return the scores that evaluate.py gave the run's generators; the newest of each measure."""
    found: dict[Measure, Scores] = {}
    seen = set()
    for generator, name in (("latest", GENERATOR_FILE), ("best", BEST_FILE)):
        file = run.folder / name
        if not evaluations or file.is_symlink() or not file.is_file():
            continue
        digest = sha256(file)
        for record, candidate in evaluations.get(digest, []) if digest not in seen else []:
            scores = _scores(record, candidate)
            score = next((name for name in RANKED if name in scores.values), "")
            if score:
                found[_measure(record, score, generator)] = scores
        seen.add(digest)  # often the best is the latest
    return found


def _scores(record: Node, candidate: Node) -> Scores:
    """Return the scores against the training split and those that need none."""
    values, floors = _dict(candidate.get("scores")), _dict(record.get("floor"))
    reals = record.get("floor_samples")
    if "floors" in record:
        sections = _dict(record["floors"])
        values = {**_dict(values.get("train")), **_dict(values.get("own"))}
        floors = {**_dict(sections.get("train")), **_dict(sections.get("own"))}
        reals = _dict(reals).get("train")
    return Scores(_numbers(values), _numbers(floors), reals if type(reals) is int else None)


def _measure(record: Node, score: str, generator: str) -> Measure:
    data, samples = _dict(record.get("data")), record.get("num_samples")
    splits = _dict(data.get("splits"))
    mark = words(_dict(splits.get("train") or splits.get("test")).get("fingerprint"), 40)
    return Measure(
        score=score,
        source=EVALUATION,
        generator=generator,
        unit=words(record.get("unit"), 40),
        samples=samples if type(samples) is int else 0,
        neighbours=0,
        data=f"{words(data.get('name'), 80)} (fingerprint {mark})",
    )


def _numbers(scores: Node) -> dict[str, float]:
    known = {name: value_of(score) for name, score in scores.items()}
    return {name: value for name, value in known.items() if value is not None}


def _dict(value: Any) -> Node:
    return value if isinstance(value, dict) else {}
