"""Values that change on the images_seen axis.

A schedule is a pure function of images_seen, without a state: a resumed run follows it exactly.
A new one is a subclass of `Schedule`, here or in any package, named by `_target_`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Annotated, Any

from gan_lightning.errors import UserError
from gan_lightning.ranges import Beta, Count, Fields, NonNegative, Whole, validated


@validated
@dataclass(frozen=True)
class Schedule:
    """`schedule(images_seen) -> value`: `start`, then a way of `images` images to `end`, held.

    Attributes:
        start: the value up to `begin`.
        end: the value from `begin + images` on.
        images: length of the way, in real images shown to D over all ranks; None: the whole run
            (`over`), and without an end of the run the start is held.
        begin: where it sets out, in images seen.
    """

    start: NonNegative
    end: NonNegative
    images: Count | None = None
    begin: Whole = 0

    def __call__(self, images_seen: int) -> float:
        """Return the value that holds when so many images were seen."""
        if self.images is None:
            return self.start
        way = self.way(min(max(images_seen - self.begin, 0) / self.images, 1.0))
        return (1.0 - way) * self.start + way * self.end

    def over(self, run_images: int | None) -> "Schedule":
        """Return the schedule for a run of so many images, if its own way has no length."""
        if self.images is not None or run_images is None:
            return self
        return replace(self, images=max(run_images - self.begin, 1))

    def way(self, done: float) -> float:
        """Return how much of the way from start to end is gone, 0 at done=0 and 1 at done=1."""
        raise NotImplementedError


@validated
class Constant(Schedule):
    """Always the same value."""

    def __init__(self, value: NonNegative) -> None:
        super().__init__(value, value, images=1)

    def way(self, done: float) -> float:
        """Return 0: start and end are the same."""
        return 0.0


class Linear(Schedule):
    """A straight line."""

    def way(self, done: float) -> float:
        """Return the share that is done."""
        return done


class Cosine(Schedule):
    """Half a wave of a cosine: slow, fast, slow.

    Source: Loshchilov & Hutter 2017, SGDR, section 3 (one period, no restart).
    """

    def way(self, done: float) -> float:
        """Return (1 - cos(pi done)) / 2."""
        return 0.5 * (1.0 - math.cos(math.pi * done))


class Geometric(Schedule):
    """The same factor for every image, as in exponential decay; start and end above 0."""

    def way(self, done: float) -> float:
        """Return what makes the value start^(1 - done) end^done."""
        ratio = self.end / self.start
        return (ratio**done - 1.0) / (ratio - 1.0) if ratio != 1.0 else done


def along(kind: Any) -> Fields:
    """Return the type of a schedule whose values are all of a type, or of the node of one."""
    return Fields(dict.fromkeys(("start", "end", "value"), kind))


OPTIMIZER_SCHEDULES = ("lr", "beta1", "beta2")  # lr: a factor of it
OptimizerSchedules = Annotated[
    Mapping[str, Schedule],
    Fields(dict.fromkeys(OPTIMIZER_SCHEDULES[1:], Annotated[Schedule, along(Beta)])),
]


class Follower:
    """What depends on where the run is; it is told before every update of D."""

    images_seen = 0

    def follow(self, images_seen: int) -> None:
        """Know how many images were seen when the loop body began."""
        self.images_seen = images_seen


def followers(*parts: Any) -> list[Follower]:
    """Return the followers among some objects and among what these hold, each once."""
    found: list[Follower] = []
    known: set[int] = set()
    todo = list(parts)
    while todo:
        part = todo.pop()
        if id(part) in known or isinstance(part, type | ModuleType):
            continue
        known.add(id(part))
        if isinstance(part, Follower):
            found.append(part)
        if isinstance(part, list | tuple):
            todo += part
        elif isinstance(part, dict):
            todo += part.values()
        else:
            todo += getattr(part, "__dict__", {}).values()
    return found


def scheduled(
    group: Mapping[str, Any], schedules: Mapping[str, Schedule], images_seen: int
) -> dict[str, Any]:
    """Return what the schedules make of a parameter group's configured values.

    Args:
        group: the configured hyperparameters.
        schedules: `lr` is a factor of the configured one; `beta1`, `beta2` are Adam's.
        images_seen: where the run is.

    Raises:
        UserError: the optimizer has no betas, or there would be one outside of [0, 1).
    """
    now = {name: schedule(images_seen) for name, schedule in schedules.items()}
    values: dict[str, Any] = {"lr": group["lr"] * now.pop("lr")} if "lr" in now else {}
    if now:
        if "betas" not in group:
            raise UserError(f"optimizer.schedule: {', '.join(now)}, but it has no betas")
        beta1, beta2 = group["betas"]
        betas: Sequence[float] = (now.get("beta1", beta1), now.get("beta2", beta2))
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise UserError(f"optimizer.schedule: betas {betas} must be from 0 to below 1")
        values["betas"] = betas
    return values
