"""Everything that a config describes, built once for its complaints: all of them at once, and
before data is fetched or a folder made.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from gan_lightning.build import build_data_module, build_module, build_trainer
from gan_lightning.callbacks.quiet import quiet
from gan_lightning.checks import problems, unread
from gan_lightning.config import resolved
from gan_lightning.errors import UserError
from gan_lightning.optimization import settings as group_settings
from gan_lightning.parts import (
    Config,
    build_part,
    build_schedule,
    build_schedules,
    complaint,
    part_keys,
)
from gan_lightning.resuming import finished
from gan_lightning.schedules import scheduled

PARTS = ("model.generator", "model.discriminator", "loss", "penalty", "constraint", "augment")
ON_CPU = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "precision": "32-true"}


def checked(config: DictConfig, overrides: Sequence[str] = ()) -> Config:
    """Return a resolved config, in plain containers, from which everything can be built.

    Args:
        config: composed.
        overrides: this command line's.

    Raises:
        UserError: something cannot; all problems are named at once.
    """
    missing = [str(group) for group in config if OmegaConf.is_missing(config, str(group))]
    if missing:  # nothing else can be looked at
        raise UserError("\n".join(f"{group} is missing: leave out ~{group}" for group in missing))
    try:
        settings = resolved(config)
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key}: {str(error).splitlines()[0]}") from error
    found = problems(settings)
    wrong = {_part(problem.partition("=")[0]) for problem in found}
    found += unread(overrides, OmegaConf.to_container(config, resolve=False))
    # To be told that it is complete, a run needs not the devices that trained it.
    devices = {} if found or not finished(settings) else ON_CPU
    with warnings.catch_warnings(action="ignore"):  # the run itself will say them
        found += trial(settings | {"trainer": settings["trainer"] | devices}, wrong)
    if found:
        raise UserError("\n".join(found))
    return settings


def _part(key: str) -> str:
    """Return what a key belongs to: a callback, a logger, or else a whole group."""
    group, *rest = key.split(".")
    return ".".join([group, *rest[:1]]) if group in ("callbacks", "logger") else group


def trial(settings: Config, wrong: set[str]) -> list[str]:
    """Return why parts of a config cannot be built, a sentence each.

    Args:
        settings: plain and resolved.
        wrong: what has had its complaint: it is not tried.
    """
    quiet()
    found: list[str] = []

    def attempt(key: str, build: Callable[[], Any]) -> None:
        try:
            if _part(key) not in wrong:
                build()
        except UserError as error:
            found.append(str(error))

    for key, build in _parts(settings):
        attempt(key, build)
    bare: Config = {"logger": {}}  # with the callbacks only if these can be built
    if found or wrong:
        bare |= {"callbacks": {}}
    else:
        attempt("model", partial(_module, settings))
    attempt("trainer", partial(build_trainer, settings | bare))
    return found


def _parts(settings: Config) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield (key, how to build it) of what can be built by itself."""
    for key in (*PARTS, *part_keys(settings, "callbacks")):
        yield key, partial(build_part, settings, key)
    for name in ("generator", "discriminator"):
        yield "optimizer", partial(_optimizer, settings, name)
    for key in part_keys(settings, "logger"):
        yield key, partial(_signature, settings, key)
    yield "data", partial(build_data_module, settings["data"])
    for name, node in (settings["optimizer"].get("schedule") or {}).items():
        yield "optimizer", partial(build_schedules, {"schedule": {name: node}})
    if settings["ema"].get("schedule"):
        yield "ema", partial(build_schedule, "ema.schedule", settings["ema"]["schedule"])


def _optimizer(settings: Config, name: str) -> None:
    """Give an optimizer a weight: it looks at its other arguments only then."""
    factory = build_part(settings, f"optimizer.{name}")
    try:
        factory([nn.Parameter(torch.zeros(1))])
    except Exception as error:  # each optimizer has its own
        raise complaint(f"optimizer.{name}", settings["optimizer"][name], error) from error


def _signature(settings: Config, key: str) -> None:
    """Try a logger's arguments without making it: some open a connection at once."""
    node = settings["logger"][key.partition(".")[2]]
    if not isinstance(node, dict):
        build_part(settings, key)  # complains
    arguments = {name: value for name, value in node.items() if not name.startswith("_")}
    try:
        inspect.signature(get_object(node["_target_"])).bind(**arguments)
    except Exception as error:  # whatever importing a class of the user's raises
        raise complaint(key, node, error) from error


def _module(settings: Config) -> None:
    """Put the parts together, and the schedules on the optimizers."""
    module = build_module(settings)
    for optimizer in module.make_optimizers():
        for group in group_settings(optimizer):
            scheduled(group, module.schedules, 0)
