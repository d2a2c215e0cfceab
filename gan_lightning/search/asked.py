"""What a search is asked for: its own keys, and the overrides of train.py."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.system.key_values import Reader, key_values, optional, whole

# What the search itself gives to each run.
OWN = ("hydra.run.dir", "hydra.sweep.dir", "run_dir", "resume", "hparams_search")
_TIME = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s)?", re.ASCII)


def duration(value: str) -> float:
    """Read 90s, 15m or 1h30m as seconds."""
    found = _TIME.fullmatch(value)
    seconds = sum(
        int(number) * unit
        for number, unit in zip(found.groups() if found else (), (3600, 60, 1), strict=False)
        if number
    )
    if not seconds:
        raise ValueError("be a time such as 90s, 15m or 1h30m")
    return float(seconds)


KEYS: dict[str, Reader] = {
    "folder": Path,
    "space": str,
    "trials": whole(1),
    "max_time": optional(duration),
    "jobs": whole(1, 1024),
    "images": optional(whole(1)),
    "looks": whole(1),
}


@dataclass
class Asked:
    """What was asked for on the command line."""

    folder: Path
    space: str = "default"
    trials: int = 40
    max_time: float | None = None  # seconds
    jobs: int = 1
    images: int | None = None
    looks: int = 5
    overrides: list[str] = field(default_factory=list)


def parsed(words: list[str]) -> Asked:
    """Return what KEY=VALUE words ask for; UserError if one of the search's own is wrong."""
    own = [word for word in words if word.partition("=")[0] in KEYS]
    overrides = [word for word in words if word not in own]
    given = key_values(own, KEYS)
    if "folder" not in given:
        raise UserError("name the folder of the search, such as folder=outputs/search/NAME")
    for word in overrides:
        key = word.partition("=")[0].lstrip("+~")
        if key in OWN:
            raise UserError(f"{word}: the search chooses {key} for each trial: leave it out")
        if word.startswith("-"):
            raise UserError(f"{word} is not KEY=VALUE, such as trials=40: see --help")
        if given.get("images") and key in ("trainer.max_epochs", "trainer.limit_train_batches"):
            raise UserError(
                f"{word} and images={given['images']} exclude each other: leave one out"
            )
    return Asked(**given, overrides=overrides)
