"""All problems of a configuration at once, and what a misspelt word may have meant."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from gan_lightning.config.value_rules import rule_of


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
        rule = rule_of(key, _is_own(config, key))
        wrong = rule(value) if rule else None
        if wrong:
            found.append(f"{key}={'null' if value is None else value} {wrong}")
    data, wanted = config["data"], config["model"].get("num_classes", 0)
    classes = data.get("classes") or []
    known = data.get("num_classes", 0)
    if not found and classes and max(classes) >= known:
        found.append(f"data.classes={classes} names a label that {data['name']} does not have")
    if not found and wanted and wanted < known:
        found.append(f"model.num_classes={wanted} is less than the {known} labels of the data")
    return found


def _is_own(config: dict[str, Any], key: str) -> bool:
    """Whether a key is an argument of one of this package's classes."""
    node = config
    for part in key.split(".")[:-1]:
        node = node[part]
    return str(node.get("_target_")).startswith("gan_lightning.")


# Groups that are no class's arguments: what is not here, and in no interpolation, nothing reads.
READ = {
    "model": ("num_classes", "latent_dim", "generator", "discriminator"),
    "optimizer": ("lr", "betas", "schedule", "clip_norm", "generator", "discriminator"),
    "ema": ("half_life", "ramp_up", "schedule"),
}


def unread(overrides: Sequence[str], config: Any) -> list[str]:
    """Return a sentence for every key, of a command line or of a file, that nothing reads.

    Args:
        overrides: the command line's, such as `+ema.halflife=0`.
        config: plain, its interpolations not resolved: they may read a key. That of a run to go
            on with has none left, and only the command line's keys are looked at.
    """
    resumed = config.get("resume") not in (None, "", "auto")
    added = {item.lstrip("+").partition("=")[0]: item for item in overrides if item[0] == "+"}
    values = [str(value) for _, value in leaves(config)] + [*overrides]
    words = {word for value in values if "${" in value for word in re.findall(r"[\w-]+", value)}
    found = []
    for group, known in READ.items():
        for word in config.get(group) or ():
            key = f"{group}.{word}"
            if word in words or word in known or (resumed and key not in added):
                continue
            hint = nearest(key, [f"{group}.{other}" for other in known])
            found.append(f"{added.get(key, key)} is read by nothing{hint}: leave it out")
    return found


def nearest(word: str, known: list[str], cutoff: float = 0.6) -> str:
    """Return " (did you mean ...?)" for a misspelt word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
    return f" (did you mean {close[0]!r}?)" if close else ""
