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
    SIDES,
    Count,
    NonNegative,
    Positive,
    Range,
    Switch,
    list_of,
    number,
    one_of,
)

# By name; another one is a node, {_target_: ...}.
DDP = ("ddp", "ddp_spawn", "ddp_fork", "ddp_notebook")
ENDINGS = ("", "_find_unused_parameters_true", "_find_unused_parameters_false")
STRATEGIES = ("auto", "single_device", *(name + ending for name in DDP for ending in ENDINGS))
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
    "val_check_interval": _type(
        "be a number of batches, or a share of the epoch", lambda v: v is None or _is_batches(v)
    ),
    "check_val_every_n_epoch": Annotated[int, number(1, whole=True)] | None,
    "strategy": _type(
        "be auto or a kind of DDP: these networks fit on every device",
        lambda value: not isinstance(value, str) or value in STRATEGIES,
    ),
}
# What Lightning does for one optimizer or its own samplers, and what stands elsewhere here: the
# values that change nothing, and the way that does.
ELSEWHERE: dict[str, tuple[tuple[Any, ...], str]] = {
    "gradient_clip_val": ((None,), "set optimizer.clip_norm"),
    "gradient_clip_algorithm": ((None,), "set optimizer.clip_norm"),
    "accumulate_grad_batches": ((None, 1), "set accumulate"),
    "overfit_batches": ((0,), "use debug=overfit, or fewer images by data.fraction=0.01"),
    "sync_batchnorm": ((False,), "BatchNorm's statistics are each device's own"),
    "use_distributed_sampler": ((False,), "the data module shares out the batches"),
    "log_every_n_steps": ((None,), "set log_every_n_images"),
    "enable_checkpointing": ((None, True), "use callbacks.checkpoints=null"),
    "enable_progress_bar": ((None, True), "use callbacks.progress_bar=null"),
    "barebones": ((False,), "use callbacks=none"),
    "callbacks": ((None,), "use the group callbacks"),
    "logger": ((None,), "use the group logger"),
    "plugins": ((None,), "checkpoints are written by this project's"),
    "default_root_dir": ((None,), "set hydra.run.dir"),
}
TRAINER |= {
    name: _type(f"be left out: {instead}", neutral.__contains__)
    for name, (neutral, instead) in ELSEWHERE.items()
}
OPTIMIZER = {
    "lr": Positive,
    "betas": Annotated[list, list_of(BETA, "be two numbers from 0 to below 1", length=2)],
    "eps": NonNegative,
    "fused": Switch | None,
}
OTHERS: dict[str, dict[str, Any]] = {"lightning.": TRAINER, "torch.optim.": OPTIMIZER}
KEYS: dict[str, Any] = {  # what no class says of its own arguments
    "data.resolution": Annotated[int, one_of(1, *SIDES)],  # 1: points
    "data.on_missing": Annotated[str, one_of("digits", "error")],
    "steps_per_call": Count,
}


def others_types(target: str) -> dict[str, Any]:
    """Return the types of what a class of Lightning's or torch's takes, by name; {} for others."""
    found = (types for package, types in OTHERS.items() if target.startswith(package))
    return next(found, {})


def across(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what does not fit between two keys: (one of them, a sentence)."""
    data, wanted = settings["data"], settings.get("model", {}).get("num_classes")
    classes, known = data.get("classes"), data.get("num_classes", 0)
    if isinstance(classes, list) and classes and max(classes) >= known:
        words = f"={classes} names a label that {data['name']} does not have"
        yield "data.classes", f"data.classes{words}"
    if isinstance(wanted, int) and 0 < wanted < known:
        words = f"={wanted} is less than the {known} labels of the data"
        yield "model.num_classes", f"model.num_classes{words}"
