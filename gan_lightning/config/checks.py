"""What is wrong with a config, all at once: values, keys that nothing reads, misspelt words."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hydra.utils import get_object

from gan_lightning.config import Settings
from gan_lightning.config.method import parts, select, strangers, training_class
from gan_lightning.config.value_rules import KEYS, across, others_types
from gan_lightning.ranges import argument_types, faults

Fault = tuple[str, Any, str]  # key, value, "must be ..."


def leaves(node: Any, path: str = "", inner: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of what is below a node, with `inner` of the nodes themselves too.

    Lists are values.
    """
    if path and (inner or not isinstance(node, dict)):
        yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key), inner)


def wrong_keys(settings: Settings, kinds: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the values at dotted keys that are not of their types; absent keys are fine."""
    given = dict(leaves(settings, inner=True))
    for key, kind in kinds.items():
        if key in given:
            yield from faults(key, given[key], kind)


def wrong_arguments(node: Any, path: str = "") -> Iterator[Fault]:
    """Yield the arguments, of all classes that a node names, whose values their types exclude."""
    if not isinstance(node, dict):
        return
    types = _types(str(node["_target_"])) if "_target_" in node else {}
    for name, value in node.items():
        key = f"{path}.{name}" if path else str(name)
        yield from faults(key, value, types.get(name))
        yield from wrong_arguments(value, key)


def _types(target: str) -> dict[str, Any]:
    try:
        return others_types(target) or argument_types(get_object(target))
    except Exception:  # whatever importing a class of the user's raises: `build` says it
        return {}


def wrong_values(settings: Settings, written: Settings) -> dict[str, str]:
    """Return a sentence for every key with a wrong value; it names the key that gave the value.

    `written` are the settings with their interpolations, which tell what follows from what.
    """
    source = {key: str(value) for key, value in leaves(written)}
    kinds = {part.key: part.kind for part in parts(settings)} | KEYS

    def origin(key: str) -> str:
        while leads := re.fullmatch(r"\$\{([\w.-]+)\}", source.get(key, "")):
            key = leads[1]
        return key

    given_by: dict[str, str] = {}
    sentences: dict[str, str] = {}
    for place, value, reason in (*wrong_keys(settings, kinds), *wrong_arguments(settings)):
        key = origin(place)
        given_by.setdefault(place, key)
        sentences.setdefault(key, f"{key}={'null' if value is None else value} {reason}")
    for place, key in given_by.items():  # what is computed from a wrong value is wrong too
        named = map(origin, re.findall(r"\$\{([\w.-]+)\}", source.get(key, "")))
        causes = [cause for cause in named if cause in sentences]
        given_by[place] = causes[0] if causes else key
    return {place: sentences[key] for place, key in given_by.items()} or dict(across(settings))


def problems(settings: Settings, written: Settings) -> list[str]:
    """Return the sentences of `wrong_values`, each once."""
    return [*dict.fromkeys(wrong_values(settings, written).values())]


def unread(overrides: Sequence[str], config: Settings) -> list[str]:
    """Return a sentence for every unused key of the command line or of a file.

    The config is unresolved, because interpolations read keys; that of a resumed run has none, so
    only the command line's keys are checked.
    """
    resumed = config.get("resume") not in (None, "", "auto")
    added = {item.lstrip("+").partition("=")[0]: item for item in overrides if item[0] == "+"}
    values = [str(value) for _, value in leaves(config)] + [*overrides]
    words = {word for value in values if "${" in value for word in re.findall(r"[\w-]+", value)}
    keys = [part.key for part in parts(config) if "." in part.key]
    method = training_class(config)
    others, found = strangers(config), []
    for item in overrides:
        asked = re.split("[=@]", item.lstrip("+"))[0]
        for key in [key for key in others if f"{asked}.".startswith(f"{key}.")][:1]:
            name = method.__name__
            found.append(f"{item} is read by nothing: {name} has no {key}: leave it out")
        if asked in method.fixed and select(config, asked) != (only := method.fixed[asked]):
            value = "null" if only is None else only
            found.append(f"{item}: with {method.__name__} it is always {value}: leave it out")
    for group in dict.fromkeys(key.partition(".")[0] for key in keys):
        there = [f"{group}.{word}" for word in config.get(group) or ()]
        for key in there:
            known = key.partition(".")[2] in words or key in (*keys, *others)
            if known or (resumed and key not in added):
                continue
            hint = suggestion(key, [other for other in (*keys, *there) if other != key])
            found.append(f"{added.get(key, key)} is read by nothing{hint}: leave it out")
    return found


def suggestion(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return " (did you mean ...?)" for a misspelt word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
    return f" (did you mean {close[0]!r}?)" if close else ""
