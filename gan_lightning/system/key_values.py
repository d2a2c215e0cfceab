"""KEY=VALUE words, the arguments of the commands that do without Hydra."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from gan_lightning.errors import UserError
from gan_lightning.ranges import NAMES, number

Reader = Callable[[str], Any]  # a value's text -> the value; ValueError: what it must be
_SWITCH = {"true": True, "false": False}


def key_values(words: Sequence[str], known: Mapping[str, Reader]) -> dict[str, Any]:
    """Return what KEY=VALUE words give, each read by its key's reader.

    Raises:
        UserError: a word is none, its key is unknown or given twice, or its value is wrong.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise UserError(f"{word!r} is not KEY=VALUE, such as {next(iter(known))}=...")
        if key not in known:
            near = get_close_matches(key, known, 1) or [", ".join(known)]
            raise UserError(f"{word}: there is no key {key}; did you mean {near[0]}?")
        if key in found:
            raise UserError(f"{key} is given twice")
        try:
            found[key] = known[key](value)
        except ValueError as error:
            raise UserError(f"{word} must {error}") from None
    return found


def optional(read: Reader) -> Reader:
    """Return a reader that takes null for None."""
    return lambda value: None if value == "null" else read(value)


def whole(low: int, high: float = float("inf")) -> Reader:
    """Return a reader of whole numbers."""
    limit = number(low, high, whole=True)

    def read(value: str) -> int:
        found = int(value) if value.isdecimal() and len(value) < 20 else None
        if not limit.allows(found):
            raise ValueError(limit.words)
        return int(value)

    return read


def decimal(value: str) -> float:
    """Read a number."""
    try:
        return float(value)
    except ValueError:
        raise ValueError("be a number") from None


def switch(value: str) -> bool:
    """Read true or false."""
    if value.lower() not in _SWITCH:
        raise ValueError("be true or false")
    return _SWITCH[value.lower()]


def names(value: str) -> list[str]:
    """Read a name, or a list of names in brackets: a.G or [a.G,b.D]."""
    listed = value[1:-1].split(",") if value[0] + value[-1] == "[]" else [value]
    found = [name.strip(" '\"") for name in listed]
    if not all(found) or any("," in name for name in found):
        raise ValueError(NAMES.words)
    return found
