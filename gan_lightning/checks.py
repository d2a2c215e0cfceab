"""What a value may be: rules for the words of the configuration, and all problems at once."""

import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Rule = Callable[[Any], str | None]


@dataclass(frozen=True)
class Number:
    """A rule: a finite number (whole, if so) within bounds."""

    low: float
    whole: bool = False
    open_low: bool = False
    high: float = math.inf

    def __call__(self, value: Any) -> str | None:
        """Say what is wrong with a value; None if nothing is."""
        kinds = (int,) if self.whole else (int, float)
        good = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
        if good and self.low <= value <= self.high and not (self.open_low and value == self.low):
            return None
        above = "above" if self.open_low else "at least"
        upper = f" and at most {self.high:g}" if math.isfinite(self.high) else ""
        return f"must be a {'whole ' * self.whole}number {above} {self.low:g}{upper}"


def _optional(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def _one_of(*allowed: Any) -> Rule:
    return lambda value: (
        None if value in allowed else f"must be one of {', '.join(map(str, allowed))}"
    )


def _classes(value: Any) -> str | None:
    good = isinstance(value, list) and value and all(type(item) is int for item in value)
    return (
        None
        if good and len(set(value)) == len(value) and min(value) >= 0
        else "must be a list of different labels such as [3,5]"
    )


def _betas(value: Any) -> str | None:
    good = isinstance(value, list) and len(value) == 2
    good = good and all(isinstance(b, int | float) and 0 <= b < 1 for b in value)
    return None if good else "must be two numbers from 0 to below 1"


def _codes(value: Any) -> str | None:
    good = isinstance(value, list) and len(value) == 2
    good = good and all(type(count) is int and count >= 0 for count in value)
    return None if good else "must be two numbers, of categories and of continuous codes: [10,2]"


def _folder(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "must name a folder"


def _devices(value: Any) -> str | None:
    good = value == "auto" or (isinstance(value, list) and value) or (type(value) is int and value)
    return None if good else "must be a number of devices, a list of them, or auto"


_POSITIVE, COUNT = Number(0, open_low=True), Number(1, whole=True)

# Rules by the last part of the key, wherever it stands: they hold for options of other people's
# making too, as long as these use the field's words.
RULES: dict[str, Rule] = {
    "lr": _POSITIVE,
    "ratio": _POSITIVE,
    "betas": _betas,
    "weight": Number(0),
    "every_n_epochs": COUNT,
    "every_n_images": _optional(COUNT),
    "limit": _POSITIVE,
    "half_life": Number(0),
    "ramp_up": Number(0),
    "seed": Number(0, whole=True, high=2**32 - 1),
    "start": Number(0),
    "end": Number(0),
    "begin": Number(0, whole=True),
    "images": _optional(COUNT),
    "decay_images": _optional(COUNT),
    "burn_in": COUNT,
    "d_steps": COUNT,
    "g_steps": COUNT,
    "accumulate": COUNT,
    "clip_norm": _optional(_POSITIVE),
    "codes": _codes,
    "log_every_n_images": COUNT,
    "latent_dim": COUNT,
    "width": COUNT,
    "batch_size": COUNT,
    "repeat": COUNT,
    "channels": COUNT,
    "resolution": _one_of(1, 28, 32, 64),  # 1: points of the toys
    "fraction": Number(0, open_low=True, high=1),
    "test_fraction": Number(0, open_low=True, high=0.9),
    "size": COUNT,
    "test_size": COUNT,
    "std": Number(0),
    "num_classes": Number(0, whole=True, high=10_001),  # 10,001: too many, the data module says
    "validation": Number(0, whole=True),
    "num_workers": Number(0, whole=True),
    "classes": _optional(_classes),
    "on_missing": _one_of("digits", "error"),
    "devices": _devices,
    "root": _folder,
    "max_epochs": _optional(Number(-1, whole=True)),
}


def leaves(node: Any, path: str = "", inner: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, plain value) of what is below a node; lists are values.

    Args:
        node: plain containers.
        path: of the node.
        inner: yield the containers on the way too.
    """
    if path and (inner or not isinstance(node, dict)):
        yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key), inner)


def problems(config: dict[str, Any]) -> list[str]:
    """Return every problem of a resolved config, a sentence each, naming the key."""
    found = []
    for key, value in leaves(config):
        if value is None and ".schedule." in key:  # a value that is not scheduled
            continue
        rule = RULES.get(key.rpartition(".")[2])
        wrong = rule(value) if rule else None
        if wrong:
            found.append(f"{key}={'' if value is None else value} {wrong}")
    data, wanted = config["data"], config["model"].get("num_classes", 0)
    classes = data.get("classes") or []
    known = data.get("num_classes", 0)
    if not found and classes and max(classes) >= known:
        found.append(f"data.classes={classes} names a label that {data['name']} does not have")
    if not found and wanted and wanted < known:
        found.append(f"model.num_classes={wanted} is less than the {known} labels of the data")
    return found


def nearest(word: str, known: list[str]) -> str:
    """Return " (did you mean ...?)" for a misspelt word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
