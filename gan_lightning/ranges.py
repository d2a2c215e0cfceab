"""Types that say which values an argument may have, and the check of a call against them.

A constructor writes `weight: NonNegative = 1.0` and its class stands under `@validated`: a wrong
value is then a ValueError that names the argument. Of a config, `config/checks.py` reads the same
types from the signature, and names the key.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

Class = TypeVar("Class")


@dataclass(frozen=True)
class Range:
    """`Annotated[type, Range(...)]`: what a value must be."""

    allows: Callable[[Any], bool]
    words: str  # behind "must"


@dataclass(frozen=True, eq=False)  # hashed as an object: unions ask for that
class Fields:
    """`Annotated[type, Fields(...)]`: the types of an object's attributes, or of a node's keys."""

    types: Mapping[str, Any]


def number(
    low: float = -math.inf, high: float = math.inf, above: bool = False, whole: bool = False
) -> Range:
    """Return the range of finite numbers from `low` (or `above` it) up to `high`."""

    def allows(value: Any) -> bool:
        kind: Any = Integral if whole else Real
        if not isinstance(value, kind) or isinstance(value, bool):
            return False
        return low <= value <= high and abs(value) != math.inf and not (above and value == low)

    lower = f" {'above' if above else 'at least'} {low}" if low > -math.inf else ""
    upper = f" and at most {high}" if high < math.inf else ""
    return Range(allows, f"be a {'whole ' * whole}number{lower}{upper}")


def one_of(*allowed: Any) -> Range:
    """Return the range that consists of these values."""
    return Range(lambda value: value in allowed, f"be one of {', '.join(map(str, allowed))}")


def list_of(item: Range, words: str, length: int | None = None) -> Range:
    """Return the range of lists whose items are in a range."""

    def allows(value: Any) -> bool:
        if not isinstance(value, Sequence) or isinstance(value, str):
            return False
        return length in (None, len(value)) and all(map(item.allows, value))

    return Range(allows, words)


SIDES = (28, 32, 64)  # of the images that networks draw, in pixels
Finite = Annotated[float, number()]
Positive = Annotated[float, number(0, above=True)]
NonNegative = Annotated[float, number(0)]
Share = Annotated[float, number(0, 1)]
PositiveShare = Annotated[float, number(0, 1, above=True)]
BETA = Range(lambda value: number(0).allows(value) and value < 1, "be a number from 0 to below 1")
Beta = Annotated[float, BETA]
Whole = Annotated[int, number(0, whole=True)]
Count = Annotated[int, number(1, whole=True)]
Few = Annotated[int, number(1, 1000, whole=True)]  # of what is shown or tried
SEED = number(0, 2**32 - 1, whole=True)
Seed = Annotated[int, SEED]
Seeds = Annotated[Sequence[int], list_of(SEED, "be a list of seeds such as [3,7]")]
Labels = Annotated[int, number(0, 100_000, whole=True)]  # how many there are
Switch = Annotated[bool, one_of(True, False)]
Widths = Annotated[
    Sequence[int],
    list_of(number(1, whole=True), "be a list of whole numbers above 0 such as [256,128]"),
]
Places = Annotated[
    Sequence[int], list_of(number(0, whole=True), "be a list of whole numbers such as [0,5]")
]
LABELS = list_of(number(0, whole=True), "be a list of different labels such as [3,5]")
Classes = Annotated[
    Sequence[int], Range(lambda v: LABELS.allows(v) and 0 < len(v) == len(set(v)), LABELS.words)
]
Codes = Annotated[
    Sequence[int],
    list_of(number(0, whole=True), "be two numbers, categories and continuous codes: [10,2]", 2),
]
Place = Annotated[
    str, Range(lambda value: isinstance(value, str | PathLike) and value != "", "be a path")
]

NAME = Range(lambda value: isinstance(value, str) and value != "", "be a name")
NAMES = list_of(NAME, "be a name, or a list of names such as [a.MyG,b.MyD]")
Names = Annotated[Any, Range(lambda v: v is None or NAME.allows(v) or NAMES.allows(v), NAMES.words)]


def faults(name: str, value: Any, kind: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield (name, value, "must be ...") of what is wrong with a value of that type.

    Args:
        name: of the argument, or the key; what is wrong inside of it is name.field.
        value: an object, or a plain value or node of a config.
    """
    if get_origin(kind) in (Union, UnionType):
        kinds = get_args(kind)
        if value is not None or NoneType not in kinds:
            for one in kinds:
                yield from faults(name, value, one)
    for limit in getattr(kind, "__metadata__", ()):
        if isinstance(limit, Range) and not limit.allows(value):
            yield name, value, f"must {limit.words}"
        if isinstance(limit, Fields) and value is not None:
            inside = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
            for field, type_ in limit.types.items():
                if field in inside:
                    yield from faults(f"{name}.{field}", inside[field], type_)


def argument_types(target: Callable) -> dict[str, Any]:
    """Return the types of what a class (or function) is called with, by name.

    What a constructor takes as **kwargs is taken to be meant for the class behind it.
    """
    found: dict[str, Any] = {}
    made = [vars(c) for c in getattr(target, "__mro__", ())]
    for call in [names["__init__"] for names in made if "__init__" in names] or [target]:
        names = inspect.signature(call).parameters
        try:
            types = get_type_hints(call, include_extras=True)
        except Exception:  # of somebody's own: a name that only a type checker knows
            types = {}
        found = {name: types.get(name, Any) for name in names} | found
        if inspect.Parameter.VAR_KEYWORD not in {names[name].kind for name in names}:
            break
    return found


def validated(cls: type[Class]) -> type[Class]:
    """Let the constructor of a class raise ValueError if an argument is outside of its type."""
    init: Callable = vars(cls)["__init__"]
    types = get_type_hints(init, include_extras=True)
    names = list(inspect.signature(init).parameters)[1:]

    @wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(names, args, strict=False)) | kwargs
        found = [fault for name in given for fault in faults(name, given[name], types.get(name))]
        if found:
            raise ValueError("; ".join(f"{name}={value} {reason}" for name, value, reason in found))
        init(self, *args, **kwargs)

    cls.__init__ = checked  # type: ignore[method-assign]
    return cls
