"""What a value may be: rules for the words of the configuration."""

import math
import re
from collections.abc import Callable
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


def _beta(value: Any) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return None if good else "must be a number from 0 to below 1"


def _number(value: Any) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return None if good else "must be a number"


def _sizes(value: Any) -> str | None:
    good = isinstance(value, list) and all(type(item) is int and item > 0 for item in value)
    return None if good else "must be a list of whole numbers above 0 such as [256,128]"


def _betas(value: Any) -> str | None:
    good = isinstance(value, list) and len(value) == 2
    good = good and not any(map(_beta, value))
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


def _batches(value: Any) -> str | None:
    whole = type(value) is int and value >= 1
    share = isinstance(value, float) and 0 < value <= 1
    good = "must be a whole number of batches from 1 on, or a share of the epoch such as 0.5"
    return None if whole or share else good


def _duration(value: Any) -> str | None:
    good = isinstance(value, str) and re.fullmatch(r"[0-9]+(:[0-9]{2}){3}", value)
    return None if good else "must be a time, dd:hh:mm:ss, such as 00:00:02:00"


def _precision(value: Any) -> str | None:
    known = (32, 16, "32", "16", "bf16", "32-true", "16-mixed", "bf16-mixed")
    return None if value in known else f"must be one of {', '.join(map(str, known[-3:]))}"


def _instead(ours: str, *allowed: Any) -> Rule:
    """Refuse what Lightning does by itself, and not for two optimizers; name what does it here."""
    return lambda value: None if value in allowed else f"must be left out: set {ours} instead"


_POSITIVE, COUNT, _SHARE = Number(0, open_low=True), Number(1, whole=True), Number(0, high=1)
_SWITCH = _one_of(True, False)

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
    "images": COUNT,
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
    "precision": _precision,
    "limit_train_batches": _batches,
    "gradient_clip_val": _instead("optimizer.clip_norm", None),
    "accumulate_grad_batches": _instead("accumulate", None, 1),
    "eps": Number(0),
    "fused": _one_of(True, False, None),
    "every": COUNT,
    "decay": _SHARE,
    "target": Number(0),
    "probability": _SHARE,
    "num_samples": Number(6, whole=True),  # the scores look at a sample's five neighbours
    "neighbours": Number(6, whole=True),
    "num_images": Number(2, whole=True),  # of one, there are no distances
    "warm_up": Number(0),
    "columns": COUNT,
    "rows": COUNT,
    "most_rows": COUNT,
    "points": COUNT,
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
    "accelerator": _one_of("auto", "cpu", "gpu", "cuda", "mps", "tpu"),
    "devices": _devices,
    "root": _folder,
    "max_time": _optional(_duration),
    "max_epochs": _optional(Number(-1, whole=True)),
}


# Of this package's own classes alone: to others' the words may mean something else.
OWN: dict[str, Rule] = {
    "smoothing": _beta,
    "saturating": _SWITCH,
    "a": _number,  # least squares' targets
    "b": _number,
    "c": _number,
    "power": _POSITIVE,
    "max_width": COUNT,
    "hidden": _sizes,
    "blocks": Number(0, whole=True),
    "expansion": COUNT,
    "group_size": COUNT,
    "minibatch_stddev": Number(0, whole=True),
    "scale": _POSITIVE,
    "mapping_layers": COUNT,
    "style_mixing": _SHARE,
    "spectral_norm": _SWITCH,
    "batch_norm": _SWITCH,
    "label_concat": _SWITCH,
    "flips": _SWITCH,
}


def rule_of(key: str, own: bool = True) -> Rule | None:
    """Return the rule of a dotted key, or None; below `share` and `schedule` there are others.

    In a schedule null leaves a value as it is, or a way as long as the run; betas stay below 1.

    Args:
        key: dotted.
        own: whether it is an argument of a class of this package.
    """
    word = key.rpartition(".")[2]
    rule = RULES.get(word) or (OWN.get(word) if own else None)
    if own and ".share." in key and word in ("start", "end", "value"):
        return Number(0, open_low=True, high=1)
    if ".schedule." not in key:
        return rule
    if ".beta" in key and word in ("start", "end", "value"):
        rule = _beta
    return _optional(rule) if rule else None
