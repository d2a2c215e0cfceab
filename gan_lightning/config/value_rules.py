"""Which values are wrong where no argument of this package's own says it.

What our classes take is said by the types in their constructors (`gan_lightning/ranges.py`). Here
is what Lightning's Trainer and torch's optimizers take, and what must fit between two keys.
"""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from gan_lightning.config import Settings
from gan_lightning.ranges import (
    BETA,
    Count,
    NonNegative,
    Positive,
    Range,
    Seed,
    Switch,
    Whole,
    list_of,
    number,
    one_of,
)

PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")


def _type(words: str, allows: Callable[[Any], Any]) -> Any:
    """Return the type of what must be so."""
    return Annotated[Any, Range(lambda value: bool(allows(value)), words)]


def _is_devices(value: Any) -> bool:
    return value == "auto" or bool(value and (isinstance(value, list) or type(value) is int))


def _is_batches(value: Any) -> bool:
    range_ = number(0, 1, above=True) if isinstance(value, float) else number(1, whole=True)
    return range_.allows(value)


TRAINER = {
    "accelerator": Annotated[str, one_of("auto", "cpu", "gpu", "cuda", "mps", "tpu")],
    "devices": _type("be a number of devices, a list of them, or auto", _is_devices),
    "precision": _type(
        f"be one of {', '.join(PRECISIONS)}",
        lambda value: value in (*PRECISIONS, 32, 16, "32", "16", "bf16"),
    ),
    "max_epochs": Annotated[int, number(-1, whole=True)] | None,
    "max_time": _type(
        "be a time, dd:hh:mm:ss, such as 00:00:02:00",
        lambda value: value is None or re.fullmatch(r"[0-9]+(:[0-9]{2}){3}", str(value)),
    ),
    "limit_train_batches": _type(
        "be a whole number of batches from 1 on, or a share of the epoch such as 0.5", _is_batches
    ),
    # What Lightning does by itself, and not for two optimizers.
    "gradient_clip_val": _type(
        "be left out: set optimizer.clip_norm instead", lambda value: value is None
    ),
    "accumulate_grad_batches": _type(
        "be left out: set accumulate instead", lambda value: value in (None, 1)
    ),
}
OPTIMIZER = {
    "lr": Positive,
    "betas": Annotated[list, list_of(BETA, "be two numbers from 0 to below 1", length=2)],
    "eps": NonNegative,
    "fused": Switch | None,
}
# Until data/ says it in its own signatures.
_CLASSES = _type(
    "be a list of different labels such as [3,5]",
    lambda value: (
        value is None
        or (
            isinstance(value, list)
            and value
            and all(type(item) is int and item >= 0 for item in value)
            and len(set(value)) == len(value)
        )
    ),
)
DATA = {
    "resolution": Annotated[int, one_of(1, 28, 32, 64)],
    "channels": Count,
    "num_classes": Annotated[int, number(0, 10_001, whole=True)],
    "batch_size": Count,
    "repeat": Count,
    "fraction": Annotated[float, number(0, 1, above=True)],
    "test_fraction": Annotated[float, number(0, 0.9, above=True)],
    "size": Count,
    "test_size": Count,
    "std": NonNegative,
    "validation": Whole,
    "num_workers": Whole,
    "classes": _CLASSES,
    "root": _type("name a folder", lambda value: isinstance(value, str) and value),
    "seed": Seed,
}
OTHERS: dict[str, dict[str, Any]] = {
    "lightning.": TRAINER,
    "torch.optim.": OPTIMIZER,
    "gan_lightning.data.": DATA,
}


def others_types(target: str) -> dict[str, Any]:
    """Return the types of what a class of Lightning's or torch's takes, by name; {} for others."""
    found = (types for package, types in OTHERS.items() if target.startswith(package))
    return next(found, {})


def across(settings: Settings) -> Iterator[str]:
    """Yield what does not fit between two keys, a sentence each."""
    data, wanted = settings["data"], settings.get("model", {}).get("num_classes")
    classes, known = data.get("classes"), data.get("num_classes", 0)
    if data.get("on_missing", "error") not in ("digits", "error"):
        yield f"data.on_missing={data['on_missing']} must be one of digits, error"
    if isinstance(classes, list) and classes and max(classes) >= known:
        yield f"data.classes={classes} names a label that {data['name']} does not have"
    if isinstance(wanted, int) and 0 < wanted < known:
        yield f"model.num_classes={wanted} is less than the {known} labels of the data"
