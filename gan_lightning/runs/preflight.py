"""All that a config describes, built once, before data is fetched or a folder made.

What cannot be built is said all at once; what can goes to the run.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from hydra.utils import get_object
from lightning import Trainer, seed_everything
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from gan_lightning.callbacks.console import quiet
from gan_lightning.config import Settings
from gan_lightning.config.build import assemble, build_data_module, build_trainer, exportable
from gan_lightning.config.checks import suggestion, unread, wrong_values
from gan_lightning.config.method import (
    Part,
    build_argument,
    parts,
    select,
    strangers,
    training_class,
)
from gan_lightning.config.nodes import build_node, complaint, part_nodes
from gan_lightning.config.schema import resolved, written
from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import GENERATOR_FILE
from gan_lightning.loggers import Tool
from gan_lightning.metrics.scores import DEFINITIONS
from gan_lightning.runs.resume import finished
from gan_lightning.schedules import scheduled
from gan_lightning.system.launched import launched
from gan_lightning.system.portable import cores
from gan_lightning.training.base import GenerativeModule

ON_CPU = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "precision": "32-true"}


@dataclass
class Built:
    """A run's settings, and what they describe: no data is fetched yet and no logger made."""

    settings: Settings
    data: DataModule
    module: GenerativeModule
    trainer: Trainer


def preflight(config: DictConfig, overrides: Sequence[str] = ()) -> Built:
    """Return all that a config, with its interpolations, describes; it sets the networks' seed.

    Raises:
        UserError: something cannot be built; all problems are named at once.
    """
    quiet()
    warnings.filterwarnings("ignore", ".*AMP with fp16 is not supported on CPU.*")  # we say it
    settings = _settings(config)
    wrong = wrong_values(settings, written(config))
    found = [*dict.fromkeys(wrong.values()), *unread(overrides, written(config))]
    with warnings.catch_warnings(record=True) as said:
        built = _build(settings, {_group(key) for key in wrong}, found)
    if found:
        raise UserError("\n".join(found))
    for one in said:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return built


def _settings(config: DictConfig) -> Settings:
    """Return a resolved config without what its method does not have, with what it fixes."""
    absent = [str(group) for group in config if OmegaConf.is_missing(config, str(group))]
    needed = {"method"}
    if "method" not in absent:
        needed = {"data", "trainer"} | {p.key.partition(".")[0] for p in parts(written(config))}
    absent = [group for group in absent if group in needed]
    if absent:  # nothing else can be looked at
        raise UserError("\n".join(f"{group} is missing: leave out ~{group}" for group in absent))
    try:
        settings = resolved(config)
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key}: {str(error).splitlines()[0]}") from error
    for key in strangers(settings):
        group, _, name = key.rpartition(".")
        (select(settings, group) or {} if group else settings).pop(name, None)
    for key, value in training_class(settings).fixed.items():
        group, _, name = key.rpartition(".")
        (select(settings, group) or {})[name] = value
    return settings


def _group(key: str) -> str:
    """Return what a key belongs to: a callback, a logger, or else a whole group."""
    group, *rest = key.split(".")
    return ".".join([group, *rest[:1]]) if group in ("callbacks", "logger") else group


def _build(settings: Settings, wrong: set[str], found: list[str]) -> Built:
    """Return what could be built, and add to `found` why the rest could not; skip what is wrong."""

    def attempt(key: str, build: Callable[[], Any]) -> Any:
        try:
            return None if _group(key) in wrong else build()
        except UserError as error:
            found.append(str(error))

    # To be told that it is complete, a run needs not the devices that trained it.
    devices = {} if found or launched() or not finished(settings) else ON_CPU
    if "seed" not in wrong:
        seed_everything(settings["seed"], workers=True, verbose=False)
    made = {
        part.argument: attempt(part.key, partial(_argument, settings, part))
        for part in parts(settings)
    }
    callbacks = [
        attempt(key, partial(build_node, node, key))
        for key, node in part_nodes(settings, "callbacks").items()
    ]
    for key, node in part_nodes(settings, "logger").items():
        attempt(key, partial(_signature, node, key))
    data = attempt("data", partial(build_data_module, settings["data"]))
    sound = not (found or wrong)
    module: Any = attempt("model", partial(_module, settings, made)) if sound else None
    on_devices = settings | {"trainer": settings["trainer"] | devices}
    trainer = attempt("trainer", partial(build_trainer, on_devices, callbacks if sound else []))
    method = training_class(settings)
    if trainer and trainer.world_size > 1 and method.one_device:
        devices_ = settings["trainer"]["devices"]
        found.append(f"trainer.devices={devices_}: {method.__name__} works on one: leave it out")
    return Built(settings, data, module, trainer)


def _argument(settings: Settings, part: Part) -> Any:
    """Build a part; an optimizer gets a weight: it looks at its other arguments only then."""
    made = build_argument(settings, part)
    if part.key.startswith("optimizer.") and isinstance(made, partial):
        try:
            made([nn.Parameter(torch.zeros(1))])
        except Exception as error:  # each optimizer has its own
            raise complaint(part.key, select(settings, part.key), error) from error
    return made


def _signature(node: Any, key: str) -> None:
    """Check a logger's arguments without building it: some open a connection at once."""
    if not isinstance(node, dict):
        build_node(node, key)  # complains
    arguments = {name: value for name, value in node.items() if not name.startswith("_")}
    try:
        kind = get_object(node["_target_"])
        inspect.signature(kind).bind(**arguments)
    except Exception as error:  # whatever importing a class of the user's raises
        raise complaint(key, node, error) from error
    if isinstance(kind, type) and issubclass(kind, Tool):
        kind.require()


def _module(settings: Settings, made: dict[str, Any]) -> GenerativeModule:
    """Put the parts together, and try the schedules on the optimizers."""
    module = assemble(settings, made)
    for optimizer in module.configure_optimizers():
        for group in optimizer.param_groups:
            scheduled(group, module.schedules, 0)
    return module


def known_metrics(module: GenerativeModule | type[GenerativeModule]) -> list[str]:
    """Return the columns that metrics.csv can have, apart from users' callbacks."""
    scores = (*DEFINITIONS, "modes", "high_quality", "reverse_kl", "ks", "correlation", "gap")
    return [*module.curves, *(f"score/{name}" for name in scores)]


def doubts(built: Built) -> Iterator[str]:
    """Yield warnings: settings that are allowed but rarely meant."""
    settings, trainer = built.settings, built.trainer
    if not exportable(settings):
        yield f"no {GENERATOR_FILE}: it holds a `Generator` class with plain arguments alone."
    if settings["trainer"].get("max_epochs") == 0:
        yield "trainer.max_epochs=0 trains nothing."
    if "logger.csv" not in part_nodes(settings, "logger"):
        yield "logger.csv=null writes no metrics.csv: a report has no curves, a search no result."
    metric = settings["optimized_metric"]
    if metric and metric not in (known := known_metrics(built.module)):
        hint = suggestion(metric, known)
        yield f"optimized_metric={metric} is no curve that this project draws{hint}."
    asked, precision = settings["trainer"]["precision"], trainer.precision
    if str(asked).startswith("16") and precision == "bf16-mixed":
        yield f"trainer.precision={asked} is for GPUs: this CPU trains with {precision}."
    local = trainer.num_devices
    if settings["trainer"]["accelerator"] == "cpu" and local > cores():
        yield f"trainer.devices={local} processes share {cores()} cores: {cores()} would be faster."


def check_batch(data: DataModule, world_size: int) -> None:
    """Raise UserError if a batch of all devices is larger than an epoch: it would train nothing."""
    images = len(data.images) * data.repeat
    if not images:
        held_out = len(data.validation_set or ())
        raise UserError(
            f"data.validation={data.validation} holds out all {held_out} images of {data.name}, "
            "and leaves none to train on: choose a smaller one"
        )
    step = data.loader_batch_size * world_size
    if step > images:
        raise UserError(
            f"data.batch_size={data.batch_size} makes a step of {step} images, but {data.name} "
            f"has {images} an epoch: choose a smaller one"
        )
