"""Values that follow images_seen.

A schedule is a pure function of images_seen without a state, so a resumed run follows it exactly. A
new one is a subclass of `Schedule`, here or in any package, named by `_target_`.
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
    """`schedule(images_seen) -> value`: from `start` to `end` over `images` images, then `end`."""

    start: NonNegative  # the value up to `begin`
    end: NonNegative  # the value from `begin + images` on
    # How many images that takes, shown to D over all ranks; None: the whole run (see `over`), and
    # `start` for ever if the run has no end.
    images: Count | None = None
    begin: Whole = 0  # images seen where it begins

    def __call__(self, images_seen: int) -> float:
        if self.images is None:
            return self.start
        way = self.way(min(max(images_seen - self.begin, 0) / self.images, 1.0))
        return (1.0 - way) * self.start + way * self.end

    def over(self, run_images: int | None) -> "Schedule":
        """Return the schedule spread over a run of `run_images` if it has no length of its own."""
        if self.images is not None or run_images is None:
            return self
        return replace(self, images=max(run_images - self.begin, 1))

    def way(self, done: float) -> float:
        """Return how far from start to end the value is: 0 at done=0 and 1 at done=1."""
        raise NotImplementedError


class Linear(Schedule):
    """A straight line."""

    def way(self, done: float) -> float:
        return done


@validated
class Constant(Linear):
    """Always the same value."""

    def __init__(self, value: NonNegative) -> None:
        super().__init__(value, value, images=1)


class Cosine(Schedule):
    """Half a wave of a cosine: slow, fast, slow.

    Source: Loshchilov & Hutter 2017, SGDR, section 3 (one period, no restart).
    """

    def way(self, done: float) -> float:
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
    """A part that depends on images_seen; it is told before every update of D."""

    images_seen = 0

    def follow(self, images_seen: int) -> None:
        """Take images_seen, as it was at the beginning of the step."""
        self.images_seen = images_seen


def followers(*parts: Any) -> list[Follower]:
    """Return the followers among some objects and their attributes, each once."""
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
    """Return the hyperparameters of a parameter group that the schedules set, at `images_seen`.

    Raises:
        UserError: the optimizer has no betas, or a beta would be outside [0, 1).
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
