"""From a node of a config, `{_target_: CLASS, argument: value}`, to the object it describes."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from gan_lightning.config import Settings
from gan_lightning.errors import UserError


def complaint(key: str, node: Settings, reason: object) -> UserError:
    """Return the error that names a key, the class that stands there, and why it cannot be made."""
    return UserError(f"{key} ({node['_target_']}): {reason}")


def is_node(value: Any) -> bool:
    """Whether a value describes an object."""
    return isinstance(value, dict) and "_target_" in value


def build_node(node: Any, key: str) -> Any:
    """Return the object that a node describes, None for null; a UserError names the key."""
    if node is None:
        return None
    if not is_node(node):
        raise UserError(f"{key}={node} is no part: {key}._target_ must name a class")
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:  # a misspelt class or argument
        lines = str(error.__cause__ or error).strip().splitlines()
        reason = " ".join(line.strip() for line in lines if not line.startswith("full_key:"))
        raise complaint(key, node, reason) from error


def part_nodes(config: Settings, group: str) -> dict[str, Any]:
    """Return the nodes of `callbacks` or `logger` by key; null, or a key of nothing, is none."""
    return {
        f"{group}.{name}": node
        for name, node in config[group].items()
        if node is not None and (is_node(node) or not isinstance(node, dict))
    }
