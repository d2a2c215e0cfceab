"""The training class that a config names, and where in the config its parts stand."""

from typing import Any, NamedTuple

from hydra.utils import get_class

from gan_lightning.config import Settings
from gan_lightning.errors import UserError
from gan_lightning.ranges import argument_types

GAN = {"_target_": "gan_lightning.training.GANModule"}  # of runs made before there was a choice


class Part(NamedTuple):
    """An argument of the training class, the key of its value, and its type."""

    argument: str
    key: str
    kind: Any


def training_class(settings: Settings) -> Any:
    """Return the class that `method` names.

    Raises:
        UserError: it cannot be imported, or does not say what it is made of.
    """
    target = str((settings.get("method") or GAN).get("_target_"))
    try:
        cls = get_class(target)
    except Exception as error:  # whatever importing a class of the user's raises
        raise UserError(f"method._target_={target}: {error}") from error
    if not hasattr(cls, "made_of"):
        raise UserError(f"method._target_={target}: a training class says what it is `made_of`")
    return cls


def parts(settings: Settings) -> list[Part]:
    """Return the parts of the method, in the order in which they are built.

    Raises:
        UserError: see `training_class`.
    """
    cls = training_class(settings)
    kinds = argument_types(cls)
    return [Part(argument, key, kinds.get(argument)) for argument, key in cls.made_of.items()]
