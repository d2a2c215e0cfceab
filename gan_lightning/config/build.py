"""From settings to the objects of a run: data, module, trainer."""

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from hydra.utils import get_class, instantiate
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.profilers import PassThroughProfiler

from gan_lightning.callbacks.console import Quiet
from gan_lightning.callbacks.export import GeneratorExport
from gan_lightning.callbacks.stopping import FiniteWeights, GracefulEnd
from gan_lightning.config import Settings
from gan_lightning.config.method import GAN, build_argument, parts, select, training_class
from gan_lightning.config.nodes import build_node, complaint, part_nodes
from gan_lightning.config.value_rules import STRATEGIES
from gan_lightning.data import DataModule, DataUnavailable
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import GENERATOR_FILE
from gan_lightning.export.metadata import is_plain, split_target
from gan_lightning.export.rebuild import layout
from gan_lightning.networks import Generator
from gan_lightning.system.checkpoint_io import SafeCheckpointIO
from gan_lightning.system.launched import in_turn
from gan_lightning.training.base import GenerativeModule
from gan_lightning.training.calls import SeveralSteps
from gan_lightning.training.devices import environments, several


def build_data_module(node: Settings) -> DataModule:
    """Return a data module that has not looked for its images yet."""
    return build_node({key: value for key, value in node.items() if key != "on_missing"}, "data")


def build_data(
    settings: Settings, data: DataModule | None = None
) -> tuple[DataModule, str, Settings]:
    """Return a data module with its images at hand, a warning or "", and what describes it.

    If the images are missing and `data.on_missing=digits`, it is the embedded digits, and the
    settings say so. `data`: what `build_data_module` made of the settings, if it has done so.

    Raises:
        UserError: they are missing and `data.on_missing=error`, or have other channels.
    """
    data, warning = data or build_data_module(settings["data"]), ""
    missing = in_turn(partial(_missing, data))  # the first process fetches what the others find
    if missing:
        if settings["data"].get("on_missing") != "digits":
            raise UserError(f"{missing}: put it there, or set data.root to where it is")
        warning = f"{missing}: going on with the embedded digits instead."
        digits = {"_target_": "gan_lightning.data.DigitsDataModule", "name": "digits", "repeat": 8}
        gone = ("dataset", "root", "on_missing")
        kept = {key: value for key, value in settings["data"].items() if key not in gone}
        settings = settings | {"data": kept | digits}
        data = build_data_module(settings["data"])
    data.setup()
    found = data.images.images.shape[1]
    if found != (channels := getattr(data, "channels", found)):
        raise UserError(f"data.channels={channels}, but the images of {data.name} have {found}")
    return data, warning or data.remark, settings


def _missing(data: DataModule) -> str:
    """Return why the images are not at hand; "" if they are."""
    try:
        data.prepare_data()
    except DataUnavailable as error:
        return str(error)
    return ""


def run_images(settings: Settings, data: DataModule, world_size: int) -> int | None:
    """Return how many images the run shows on all devices; None if it does not end by epochs."""
    epochs, limit = settings["trainer"]["max_epochs"], settings["trainer"]["limit_train_batches"]
    if not epochs or epochs < 0:
        return None
    images = len(data.images) * data.repeat
    if isinstance(limit, float):
        return int(epochs * limit * images)
    return int(epochs * min(limit * data.loader_batch_size * world_size, images))


def build_module(settings: Settings) -> GenerativeModule:
    """Return the module with untrained networks, initialised from the global random state."""
    made = {part.argument: build_argument(settings, part) for part in parts(settings)}
    return assemble(settings, made)


def assemble(settings: Settings, made: dict[str, Any]) -> GenerativeModule:
    """Return the module of the method, made of these arguments and of those in its own group.

    Raises:
        UserError: an argument is missing, or there is none of that name.
    """
    method, cls = settings.get("method") or GAN, training_class(settings)
    own = {key: value for key, value in method.items() if not key.startswith("_")}
    for name, argument in inspect.signature(cls).parameters.items():
        if argument.default is argument.empty and name in made and made[name] is None:
            words = f"{cls.made_of[name]} is missing: {cls.__name__} needs it"
            raise UserError(f"{words}; a model that is made for it has it, such as model=vae")
    given = own | {key: value for key, value in made.items() if value is not None}
    try:
        module = cls(**given)
    except TypeError as error:
        if "__init__()" not in str(error):  # it is not about the call
            raise
        raise complaint("method", method, error) from error
    for weight in module.parameters():
        weight.data = weight.data.contiguous(memory_format=layout(weight))
    return module


def schedule_over(module: GenerativeModule, images: int | None) -> None:
    """Let the optimizers' schedules without a length last for a run of so many images."""
    module.schedules = {name: one.over(images) for name, one in module.schedules.items()}


def build_group(settings: Settings, group: str) -> list[Any]:
    """Return the objects of a group of many: `callbacks` or `logger`."""
    return [build_node(node, key) for key, node in part_nodes(settings, group).items()]


def exportable(settings: Settings) -> bool:
    """Whether a generator file can name this generator: a class with plain arguments."""
    node = select(settings, "model.generator")
    try:
        cls = get_class(node["_target_"])
        _, arguments = split_target(node)
    except Exception:  # whatever importing a class of the user's raises: build_module says it
        return False
    plain = is_plain(list(arguments.values())) and not any(k[0] == "_" for k in arguments)
    return plain and issubclass(cls, Generator)


def build_trainer(settings: Settings, callbacks: Sequence[Callback] | None = None) -> Trainer:
    """Return the trainer, without loggers: they come when the run has its folder.

    `callbacks` are those of the config, if they are built; the ones of every run are added.

    Raises:
        UserError: Lightning rejects the accelerator, devices or another argument.
    """
    callbacks = build_group(settings, "callbacks") if callbacks is None else callbacks
    limit = settings["trainer"].get("limit_val_batches", 1.0)
    export = [GeneratorExport(Path(settings["run_dir"]) / GENERATOR_FILE, settings)]
    make = partial(
        instantiate,
        settings["trainer"],
        _convert_="all",
        callbacks=[
            *(Quiet(), FiniteWeights(), *callbacks),
            *(export if exportable(settings) else ()),
            GracefulEnd(),
        ],
        plugins=[SafeCheckpointIO(), *environments()],
        logger=False,
        profiler=settings["trainer"].get("profiler") or _Unprofiled(),
        limit_val_batches=limit if settings["data"]["validation"] else 0,
        log_every_n_steps=1,  # of the progress bar; the curves have log_every_n_images
        default_root_dir=settings["run_dir"],
        enable_checkpointing=True,  # by our own callbacks; none is added to them
        enable_progress_bar=any(isinstance(c, ProgressBar) for c in callbacks),
    )
    trainer = _on_devices(make, settings["trainer"]["strategy"])
    if (steps := settings.get("steps_per_call", 1)) > 1:  # runs of earlier versions have none
        trainer.fit_loop.epoch_loop.manual_optimization = SeveralSteps(trainer, steps)
    return trainer


def _on_devices(make: Callable[..., Trainer], asked: Any) -> Trainer:
    if not isinstance(asked, str) or asked not in STRATEGIES:
        return _made(make)
    trainer = _made(partial(make, strategy="auto"))
    strategy = several(trainer)  # Lightning has counted the devices
    return _made(partial(make, strategy=strategy)) if strategy else trainer


class _Unprofiled(PassThroughProfiler):
    """Lightning's default, which makes a context manager for each of the 100 calls in a step."""

    nothing = nullcontext()

    def profile(self, action_name: str) -> Any:
        return self.nothing


def _made(make: Callable[[], Trainer]) -> Trainer:
    try:
        return make()
    except Exception as error:
        raise UserError(f"trainer: {error.__cause__ or error}") from error
