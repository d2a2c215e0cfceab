"""What a run was set to, and by which of it settings are told apart."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan_lightning.report.folder import Run
from gan_lightning.system.untrusted import words

DEFAULT = "default"  # what a setting is called that overrides nothing that others override
MOST = 4  # keys of config.yaml in a name
# What seeds differ in, and what looks on: it changes no generator.
_LOOK_ON = ("progress_bar", "report", "samples", "doctor", "checkpoints", "lab")
_ASIDE = (
    *("seed", "run_dir", "resume", "hydra", "logger", "optimized_metric", "log_every_n_images"),
    *(f"callbacks.{name}" for name in _LOOK_ON),
)
_IF_TYPED = ("data.seed", "data.root")  # else it follows the seed, or the machine


@dataclass(frozen=True)
class Settings:
    """The overrides of a run, and its config, without what seeds and machines differ in."""

    overrides: dict[str, str] | None  # key -> value; None: not recorded
    config: dict[str, str]  # dotted key -> value, as text


def settings_of(run: Run) -> Settings:
    """Return the settings of a run; its config may be empty."""
    overrides = _overrides(run.record.get("overrides"))
    typed = set(overrides or ())
    place = words(run.config.get("run_dir"))
    config = {}
    for key, value in _leaves(run.config):
        if not _aside(key) and (key not in _IF_TYPED or key in typed):
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            config[key] = text.replace(place, "RUN") if place else text
    kept = None if overrides is None else {k: v for k, v in overrides.items() if not _aside(k)}
    return Settings(kept, config)


def _overrides(given: Any) -> dict[str, str] | None:
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        return None
    found = {}
    for item in given:
        key, equals, value = item.partition("=")
        found[words(key.lstrip("+"))] = words(value, 200) if equals else "removed"
    return found


def _leaves(node: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        place = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            yield from _leaves(value, place)
        else:
            yield place, value


def _aside(key: str) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for name in _ASIDE)


def shared(rows: Sequence[Settings]) -> dict[str, str]:
    """Return the overrides that all have."""
    known = [row.overrides.items() for row in rows if row.overrides is not None]
    if not known:
        return {}
    return {k: v for k, v in known[0] if all((k, v) in other for other in known)}


def varying(rows: Sequence[Settings]) -> set[str]:
    """Return the keys of overrides that not all have alike."""
    alike = shared(rows)
    return {key for row in rows for key in row.overrides or () if key not in alike}


def names(rows: Sequence[Settings], keys: Iterable[str]) -> list[str]:
    """Return what settings are called: their overrides of these keys.

    Where those are not recorded, or do not tell settings apart, values of config.yaml are added.
    """
    keys = set(keys)
    known = [{k: v for k, v in (row.overrides or {}).items() if k in keys} for row in rows]
    found = [" ".join(f"{key}={value}" for key, value in one.items()) for one in known]
    named = []
    for row, name in zip(rows, found, strict=True):
        alike = [
            other
            for other, its in zip(rows, found, strict=True)
            if its == name or row.overrides is None
        ]
        more = [
            _short(key, row.config[key])
            for key in row.config
            if any(other.config.get(key) != row.config[key] for other in alike)
        ]
        more[MOST:] = ["..."] if len(more) > MOST else []
        named.append(" ".join(filter(None, [name, *more])) or DEFAULT)
    return [
        name if named.count(name) == 1 else f"{name} ({1 + named[:i].count(name)})"
        for i, name in enumerate(named)
    ]


def _short(key: str, value: str) -> str:
    """Return `penalty=NoPenalty` of a key and a value of config.yaml."""
    key, last = key.removesuffix("._target_"), words(value, 100)
    return f"{key}={last.rpartition('.')[2] if value.startswith('gan_lightning.') else last}"
