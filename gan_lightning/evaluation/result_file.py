"""evaluation.json: the scores, and everything needed to check them."""

import dataclasses
import importlib.metadata
import json
import math
import platform
from pathlib import Path
from typing import Any

from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import Candidate
from gan_lightning.evaluation.judge import Judge, Verdict
from gan_lightning.metrics.diversity import class_shares
from gan_lightning.metrics.features.classifier import require_one_unit
from gan_lightning.metrics.intervals import Score
from gan_lightning.metrics.scores import DEFINITIONS, Scores
from gan_lightning.system.untrusted import printable, read_small, strict_json

FORMAT_VERSION = 1
LIBRARIES = ("torch", "torchvision", "torchmetrics", "numpy", "scipy", "lightning")
Record = dict[str, Any]


def header(judge: Judge) -> Record:
    """Return what holds for all candidates: unit, data, counts, floors, definitions, versions."""
    return {
        "format_version": FORMAT_VERSION,
        "unit": judge.network.unit,
        "network": {"sha256": judge.network.sha256, **judge.network.metadata},
        "data": {
            "name": judge.data.name,
            "source": judge.data.source,
            "splits": {
                name: {"images": len(reals), "fingerprint": reals.fingerprint}
                for name, reals in judge.reals.items()
            },
            "class_shares": {
                name: class_shares(reals.labels, reals.num_classes).tolist()
                for name, reals in judge.reals.items()
            },
        },
        "num_samples": judge.count,
        "floor_samples": judge.floor_counts,
        "floors": {name: _scores(scores) for name, scores in judge.floors.items()},
        "interval": "value +- margin, 95 %; see docs/metrics.md",
        "definitions": {name: dataclasses.asdict(d) for name, d in DEFINITIONS.items()},
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def candidate_entry(candidate: Candidate, verdict: Verdict) -> Record:
    """Return the part of the record about one candidate."""
    return {
        "name": candidate.name,
        **candidate.about,
        "scores": {name: _scores(scores) for name, scores in verdict.scores.items()},
        "class_shares": verdict.shares.tolist(),
        "class_fid": {str(label): _number(v) for label, v in verdict.class_fid.items()},
        "nearest_pairs": verdict.memorisation.pairs.tolist(),
    }


def _number(value: float) -> float | str | None:
    """Return None for NaN and a word for infinity, which JSON does not have."""
    return None if math.isnan(value) else value if math.isfinite(value) else str(value)


def _scores(scores: Scores) -> dict[str, dict[str, float | str | None]]:
    return {
        name: {"value": _number(score.value), "margin": _number(score.margin)}
        for name, score in scores.items()
    }


def read_scores(node: dict[str, dict[str, float | str | None]]) -> Scores:
    """Return the scores that `_scores` wrote."""

    def number(value: float | str | None) -> float:
        return math.nan if value is None else float(value)

    return {name: Score(number(s["value"]), number(s["margin"])) for name, s in node.items()}


def earlier_entries(path: Path, current: Record) -> list[Record]:
    """Return the candidates of an earlier evaluation.json, to be shown beside the new ones.

    Raises:
        UserError: it is not such a file, or its scores are in another unit: another network, other
            reals or another count.
    """
    try:
        record = strict_json(read_small(path, limit=1 << 26))
        unit, splits, count = record["unit"], record["data"]["splits"], record["num_samples"]
        entries = [
            {**item, "name": f"{printable(str(item['name']))[:100]} (earlier)"}
            for item in record["candidates"]
        ]
        for item in entries:
            for scores in item["scores"].values():
                read_scores(scores)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"compare={path} is no evaluation.json of this project") from error
    require_one_unit([current["unit"], unit])
    if splits != current["data"]["splits"]:
        raise UserError(f"compare={path} was scored against other real images: score again")
    if count != current["num_samples"]:
        raise UserError(
            f"compare={path} has {count} samples a candidate and this evaluation "
            f"{current['num_samples']}: FID depends on the count, so set num_samples={count}"
        )
    return entries


def write_record(path: Path, record: Record) -> None:
    """Write the JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
