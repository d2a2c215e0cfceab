"""What a run folder says of a generator, beyond its file: command, recipe, scores with floors."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gan_lightning.export.generator_file import BEST_FILE
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.system.evaluation_file import NONE, SECTIONS, candidates_of, score_rows
from gan_lightning.system.untrusted import printable, read_small, strict_json

_RECORD = 1 << 26  # bytes of an evaluation.json, at most
_UNIT = "FID is in the features of a classifier of such images: no Inception FID compares with it."
_PARTS = ("loss", "penalty", "constraint", "augment", "method")
_SHORT = ("seed", "d_steps", "g_steps", "accumulate")
_USUAL = {(key, "1") for key in _SHORT[1:]}  # and parts that do nothing: not worth a line
_USUAL |= {("penalty", "NoPenalty"), ("constraint", "NoConstraint"), ("augment", "NoAugment")}


@dataclass(frozen=True)
class Row:
    """A score as text, and what real images score: "" if that was not measured."""

    title: str
    value: str
    floor: str = ""


@dataclass(frozen=True)
class Recorded:
    """What is known of the training; all of it may be empty."""

    command: str = ""
    recipe: dict[str, str] = field(default_factory=dict)
    scores: list[Row] = field(default_factory=list)
    note: str = ""  # on how the scores were measured


def recorded(file: Path, sha256: str, metadata: GeneratorMetadata) -> Recorded:
    """Return what the files beside a generator file say of it; what they do not say is left out.

    Scores are of the newest `evaluation*.json` that has a generator file of this hash, else those
    of the file's own metadata, which have no floors.
    """
    folder = run_of(file)
    scores, note = _evaluated(folder, sha256)
    if not scores and metadata.scores:
        scores = [
            Row(name.removeprefix("score/").replace("_", " "), f"{value:.4g}")
            for name, value in sorted(metadata.scores.items())
        ]
        note = f"As measured in the training. `evaluate.py` measures floors too. {_UNIT}"
    if scores and file.name == BEST_FILE:
        note += " It is the run's best epoch by FID, so its FID looks a little too good."
    return Recorded(_command(folder), _recipe(folder), scores, note)


def run_of(file: Path) -> Path:
    """Return the folder of the run that a generator file or RUN/checkpoints/x.ckpt is of."""
    return file.parent.parent if file.suffix == ".ckpt" else file.parent


def _json(path: Path) -> dict[str, Any]:
    try:
        found = strict_json(read_small(path, _RECORD))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _command(folder: Path) -> str:
    """Return the command of run.json, its overrides alone, without paths of one's own machine."""
    given = _json(folder / "run.json").get("overrides")
    if not isinstance(given, list):
        return ""
    words = []
    for override in map(str, given):
        key, _, value = override.partition("=")
        own = any(mark in value for mark in ("/", "\\", "~"))
        words.append(f"{key}=PATH" if own else override)
    return printable(shlex.join(["python", "train.py", *words]))


def _recipe(folder: Path) -> dict[str, str]:
    """Return part -> class and arguments, of config.yaml."""
    try:
        config = yaml.safe_load(read_small(folder / "config.yaml"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    if not isinstance(config, dict):
        return {}
    found = {part: _short(config[part]) for part in _PARTS if isinstance(config.get(part), dict)}
    optimizer = config.get("optimizer")
    if isinstance(optimizer, dict) and isinstance(optimizer.get("generator"), dict):
        found["optimizer"] = _short(optimizer["generator"])
    data, trainer = config.get("data"), config.get("trainer")
    if isinstance(data, dict) and "batch_size" in data:
        found["batch size"] = str(data["batch_size"])
    if isinstance(trainer, dict) and "max_epochs" in trainer:
        found["epochs"] = str(trainer["max_epochs"])
    found |= {key: str(config[key]) for key in _SHORT if key in config}
    return {key: printable(text) for key, text in found.items() if (key, text) not in _USUAL}


def _short(node: dict[str, Any]) -> str:
    """Return `Lazy(R1(weight=1.0), weight=0.1, every=4)` of a config's node; "" of one without."""
    name = str(node.get("_target_", "")).rpartition(".")[2]
    shown = []
    for key, value in node.items():
        if isinstance(value, dict) and "_target_" in value:
            shown.append(_short(value))
        elif key[0] != "_" and not isinstance(value, dict) and value is not None:
            shown.append(f"{key}={value}")
    return f"{name}({', '.join(shown)})" if name and shown else name


def _evaluated(folder: Path, sha256: str) -> tuple[list[Row], str]:
    """Return the scores of the newest evaluation of this file, and how they were measured."""
    files = [path for path in folder.glob("evaluation*.json") if path.is_file()]
    for file in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True):
        record = _json(file)
        try:
            own = [one for one in candidates_of(record) if one.get("sha256") == sha256]
            if own:
                return _rows(record, own[0]), _measured(record)
        except (KeyError, TypeError, ValueError):
            continue
    return [], ""


def _rows(record: dict[str, Any], own: dict[str, Any]) -> list[Row]:
    rows = []
    for section, title, (value,), floor in score_rows(record, [own]):
        heading = f", {SECTIONS[section]}" if section else ""
        if value != NONE:
            rows.append(Row(f"{title}{heading}", value, floor if floor != NONE else ""))
    return rows


def _measured(record: dict[str, Any]) -> str:
    data = record["data"]
    count, name, unit = record["num_samples"], str(data["name"]), str(record["unit"])
    own = "floors" in record and not unit.startswith("inception")
    counts = record.get("floor_samples", count)
    counts = counts if isinstance(counts, dict) else {"": counts}
    fewer = [
        f"{n:,} ({SECTIONS[section]})" if section in SECTIONS else f"{n:,}"
        for section, n in counts.items()
        if n != count
    ]
    return (
        f"By `evaluate.py` on {count:,} samples against {printable(name)}, unit {printable(unit)}. "
        "The floor is what real images score that the reference does not hold."
        + (f" It stands on {' and '.join(fewer)}." if fewer else "")
        + (f" {_UNIT}" if own else "")
    )
