"""Everything that a config describes, built once for its complaints: all of them at once, and
before data is fetched or a folder made.
"""

import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from hydra.utils import get_object
from lightning import Trainer
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from gan_lightning.callbacks.console import quiet
from gan_lightning.config import Settings
from gan_lightning.config.build import (
    build_argument,
    build_data_module,
    build_module,
    build_part,
    build_trainer,
    complaint,
    exportable,
    part_keys,
)
from gan_lightning.config.checks import problems, suggestion, unread
from gan_lightning.config.method import parts
from gan_lightning.config.schema import resolved, written
from gan_lightning.data import ImageDataModule
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import GENERATOR_FILE
from gan_lightning.metrics.scores import DEFINITIONS
from gan_lightning.runs.resume import (
    finished,
)
from gan_lightning.schedules import scheduled
from gan_lightning.training.base import settings as group_settings
from gan_lightning.training.gan import GANModule

ON_CPU = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "precision": "32-true"}


def checked(config: DictConfig, overrides: Sequence[str] = ()) -> Settings:
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
    found = problems(settings, written(config))
    wrong = {_part(problem.partition("=")[0]) for problem in found}
    found += unread(overrides, written(config))
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


def trial(settings: Settings, wrong: set[str]) -> list[str]:
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
    bare: Settings = {"logger": {}}  # with the callbacks only if these can be built
    if found or wrong:
        bare |= {"callbacks": {}}
    else:
        attempt("model", partial(_module, settings))
    attempt("trainer", partial(build_trainer, settings | bare))
    return found


def _parts(settings: Settings) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield (key, how to build it) of what can be built by itself."""
    for part in parts(settings):
        yield part.key, partial(build_argument, settings, part)
    for key in part_keys(settings, "callbacks"):
        yield key, partial(build_part, settings, key)
    for name in ("generator", "discriminator"):
        yield "optimizer", partial(_optimizer, settings, name)
    for key in part_keys(settings, "logger"):
        yield key, partial(_signature, settings, key)
    yield "data", partial(build_data_module, settings["data"])


def _optimizer(settings: Settings, name: str) -> None:
    """Give an optimizer a weight: it looks at its other arguments only then."""
    factory = build_part(settings, f"optimizer.{name}")
    try:
        factory([nn.Parameter(torch.zeros(1))])
    except Exception as error:  # each optimizer has its own
        raise complaint(f"optimizer.{name}", settings["optimizer"][name], error) from error


def _signature(settings: Settings, key: str) -> None:
    """Try a logger's arguments without making it: some open a connection at once."""
    node = settings["logger"][key.partition(".")[2]]
    if not isinstance(node, dict):
        build_part(settings, key)  # complains
    arguments = {name: value for name, value in node.items() if not name.startswith("_")}
    try:
        inspect.signature(get_object(node["_target_"])).bind(**arguments)
    except Exception as error:  # whatever importing a class of the user's raises
        raise complaint(key, node, error) from error


def _module(settings: Settings) -> None:
    """Put the parts together, and the schedules on the optimizers."""
    module = build_module(settings)
    for optimizer in module.make_optimizers():
        for group in group_settings(optimizer):
            scheduled(group, module.schedules, 0)


def known_metrics() -> list[str]:
    """Return the columns that metrics.csv can have without callbacks of the user's."""
    scores = (*DEFINITIONS, "modes", "high_quality", "reverse_kl")
    return [*GANModule.curves, *(f"score/{name}" for name in scores)]


def doubts(settings: Settings, trainer: Trainer) -> Iterator[str]:
    """Yield what is allowed, but rarely meant."""
    if not exportable(settings["model"]["generator"]):
        yield f"no {GENERATOR_FILE}: it holds a `Generator` class with plain arguments alone."
    if settings["trainer"].get("max_epochs") == 0:
        yield "trainer.max_epochs=0 trains nothing."
    metric = settings["optimized_metric"]
    if metric and metric not in (known := known_metrics()):
        hint = suggestion(metric, known)
        yield f"optimized_metric={metric} is no curve that this project draws{hint}."
    asked, precision = settings["trainer"]["precision"], trainer.precision
    if str(asked).startswith("16") and precision == "bf16-mixed":
        yield f"trainer.precision={asked} is for GPUs: this CPU trains with {precision}."
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    local = trainer.num_devices
    if settings["trainer"]["accelerator"] == "cpu" and local > (cores or local):
        yield f"trainer.devices={local} processes share {cores} cores: {cores} would be faster."


def check_batch(settings: dict[str, Any], data: ImageDataModule) -> None:
    """Refuse a global batch larger than an epoch: such a run would train on nothing."""
    images = len(data.images) * data.repeat
    if not images:
        held_out = len(data.validation_set or ())
        raise UserError(
            f"data.validation={data.validation} holds out all {held_out} images of {data.name}, "
            "and leaves none to train on: choose a smaller one"
        )
    devices = settings["trainer"]["devices"]
    world = (devices if isinstance(devices, int) and devices > 0 else 1) * data.loader_batch_size
    if world > images:
        raise UserError(
            f"data.batch_size={data.batch_size} makes a step of {world} images, but {data.name} "
            f"has {images} an epoch: choose a smaller one"
        )
