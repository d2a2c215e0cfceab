"""From a node of the config to an object, with the key in every complaint."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from gan_lightning.errors import UserError
from gan_lightning.schedules import OPTIMIZER_SCHEDULES, Schedule

Config = dict[str, Any]


def complaint(key: str, node: Config, reason: object) -> UserError:
    """Return the error that names a key, the class that stands there, and why it cannot be made."""
    return UserError(f"{key} ({node['_target_']}): {reason}")


def build_node(node: Any, key: str) -> Any:
    """Return the object that a node describes; None for null.

    Raises:
        UserError: there is no such class, or it does not take these arguments; names the key.
    """
    if node is None:
        return None
    if not isinstance(node, dict) or "_target_" not in node:
        raise UserError(f"{key}={node} is no part: {key}._target_ must name a class")
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:  # a misspelt class or argument
        lines = str(error.__cause__ or error).strip().splitlines()
        reason = " ".join(line.strip() for line in lines if not line.startswith("full_key:"))
        raise complaint(key, node, reason) from error


def build_part(config: Config, key: str) -> Any:
    """Return the object that stands at a dotted key of the config, by `build_node`."""
    node: Any = config
    for name in key.split("."):
        node = node[name]
    return build_node(node, key)


def part_keys(config: Config, group: str) -> list[str]:
    """Return the keys of the parts of a group of many, callbacks or loggers.

    Null, or a key set on an option that is not there, is none.
    """
    return [
        f"{group}.{name}"
        for name, node in config[group].items()
        if node is not None and not (isinstance(node, dict) and "_target_" not in node)
    ]


def build_schedule(key: str, node: Any) -> Schedule:
    """Return the schedule that stands at a key.

    Raises:
        UserError: it is none.
    """
    made = build_node(node, key) if isinstance(node, dict) and "_target_" in node else node
    if not isinstance(made, Schedule):
        example = "{_target_: gan_lightning.schedules.Cosine, start: 1, end: 0, images: 500000}"
        raise UserError(f"{key}={node} is no schedule, such as {example}")
    return made


def build_schedules(optimizer: Config, images: int | None = None) -> dict[str, Schedule]:
    """Return the schedules of the optimizers' hyperparameters in a run of so many images.

    Raises:
        UserError: a name that cannot be scheduled, or what is no schedule.
    """
    nodes = {k: v for k, v in (optimizer.get("schedule") or {}).items() if v is not None}
    for name in nodes:
        if name not in OPTIMIZER_SCHEDULES:
            known = ", ".join(OPTIMIZER_SCHEDULES)
            raise UserError(f"optimizer.schedule.{name} is none of {known}")
    made = {
        name: build_schedule(f"optimizer.schedule.{name}", node) for name, node in nodes.items()
    }
    return {name: schedule.over(images) for name, schedule in made.items()}
