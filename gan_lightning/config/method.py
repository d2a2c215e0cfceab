"""The training class that a config names, and the parts of the config that it is made of.

`made_of` of the class says which key of the config stands for which argument of its constructor.
What must be there, what is read by nothing and what is built follows from it. `fixed` says which
keys have one value with that class, whatever stands there.
"""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from hydra.utils import get_class

from gan_lightning.config import Settings
from gan_lightning.config.nodes import build_node, is_node
from gan_lightning.errors import UserError
from gan_lightning.ranges import argument_types
from gan_lightning.schedules import OPTIMIZER_SCHEDULES, Schedule

GAN = {"_target_": "gan_lightning.training.GANModule"}  # of runs made before there was a choice
# Types of arguments that are no objects.
PLAIN = {int, float, bool, str, NoneType, list, tuple, Sequence, Any}


class Part(NamedTuple):
    """An argument of the training class, the key of its value, and its type."""

    argument: str
    key: str
    kind: Any


def training_class(settings: Settings) -> Any:
    """Return the class that `method` names; UserError if it is none with a `made_of`."""
    target = str((settings.get("method") or GAN).get("_target_"))
    try:
        cls = get_class(target)
    except Exception as error:  # whatever importing a class of the user's raises
        raise UserError(f"method._target_={target}: {error}") from error
    if not hasattr(cls, "made_of"):
        raise UserError(f"method._target_={target}: a training class says what it is `made_of`")
    return cls


def parts(settings: Settings) -> list[Part]:
    """Return the parts of the method, in the order in which they are built."""
    cls = training_class(settings)
    kinds = argument_types(cls)
    return [Part(argument, key, kinds.get(argument, Any)) for argument, key in cls.made_of.items()]


def strangers(settings: Settings) -> list[str]:
    """Return the groups and keys that conf/ has for a GAN, and that this method does not have."""
    own = [f"{part.key}." for part in parts(settings)]
    of_gans = training_class({}).made_of.values()
    both = dict.fromkeys(key for whole in of_gans for key in (whole.partition(".")[0], whole))
    return [key for key in both if not any(one.startswith(f"{key}.") for one in own)]


def select(settings: Settings, key: str) -> Any:
    """Return what stands at a dotted key; None if nothing does."""
    node: Any = settings
    for name in key.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    return node


def build_argument(settings: Settings, part: Part) -> Any:
    """Return what the training class gets for an argument: an object, or a plain value.

    Raises:
        UserError: the argument is an object, and none can be made of what stands at its key.
    """
    node, kinds = select(settings, part.key), _bare(part.kind)
    if not is_node(node) and (node is None or PLAIN.issuperset(get_origin(k) or k for k in kinds)):
        return node
    if Schedule in kinds:
        return _schedule(part.key, node)
    if Mapping[str, Schedule] in kinds:
        return _schedules(part.key, node)
    return build_node(node, part.key)


def _bare(kind: Any) -> list[Any]:
    """Return the classes that a type is a union of, without what `Annotated` says of them."""
    if get_origin(kind) in (Union, UnionType):
        return [one for each in get_args(kind) for one in _bare(each)]
    return _bare(kind.__origin__) if get_origin(kind) is Annotated else [kind]


def _schedule(key: str, node: Any) -> Schedule:
    made = build_node(node, key) if is_node(node) else node
    if not isinstance(made, Schedule):
        example = "{_target_: gan_lightning.schedules.Cosine, start: 1, end: 0, images: 500000}"
        raise UserError(f"{key}={node} is no schedule, such as {example}")
    return made


def _schedules(key: str, nodes: Settings) -> dict[str, Schedule]:
    """Return the schedules of the optimizers' hyperparameters; null is none."""
    given = {name: node for name, node in nodes.items() if node is not None}
    for name in given:
        if name not in OPTIMIZER_SCHEDULES:
            raise UserError(f"{key}.{name} is none of {', '.join(OPTIMIZER_SCHEDULES)}")
    return {name: _schedule(f"{key}.{name}", node) for name, node in given.items()}
