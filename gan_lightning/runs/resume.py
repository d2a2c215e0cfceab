"""Resuming a run: the checkpoint, the settings, and whether anything is left to do."""

import re
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gan_lightning.config import Settings
from gan_lightning.config.checks import leaves
from gan_lightning.config.method import training_class
from gan_lightning.config.schema import AUTO
from gan_lightning.errors import UserError
from gan_lightning.system.checkpoint_file import (
    DamagedCheckpoint,
    RunCheckpoint,
    previous,
    read_checkpoint,
    read_once,
    restore_previous,
)
from gan_lightning.training.base import GenerativeModule

# What decides which images are in an epoch's batches.
EPOCH = (
    *((None, "seed"), (None, "d_steps"), (None, "accumulate"), ("trainer", "devices")),
    ("trainer", "num_nodes"),
    *(("data", key) for key in ("batch_size", "repeat", "fraction", "classes", "validation")),
)


def _with_dependents(config: DictConfig, keys: set[str]) -> set[str]:
    """Add the keys whose interpolations lead to the given ones."""
    raw = list(leaves(OmegaConf.to_container(config, resolve=False)))
    while True:
        pattern = re.compile("|".join(rf"\$\{{.*\b{re.escape(key)}\b" for key in keys) or "(?!)")
        more = {key for key, value in raw if pattern.search(str(value))}
        if more <= keys:
            return keys
        keys = keys | more


def _moved(node: Any, old: str, new: str) -> Any:
    """Return a plain config whose paths in the run folder follow it to where it is now."""
    if isinstance(node, dict):
        return {key: _moved(value, old, new) for key, value in node.items()}
    if isinstance(node, str) and (node == old or node.startswith(old + "/")):
        return new + node.removeprefix(old)
    return node


def resume_config(asked: DictConfig, overrides: list[str]) -> DictConfig:
    """Return the config of the run to resume, with this command line's own overrides.

    Raises:
        UserError: no run is there, or an override cannot be changed on resume.
    """
    folder = Path(str(asked.resume))
    saved = folder / "config.yaml"
    if not saved.is_file() or not (folder / "checkpoints" / "last.ckpt").is_file():
        raise UserError(f"resume={folder}: no run with a checkpoints/last.ckpt is there")
    try:
        container = cast(Settings, OmegaConf.to_container(OmegaConf.load(saved)))
        config = OmegaConf.create(_moved(container, container["run_dir"], str(folder)))
        assert isinstance(config, DictConfig)
    except Exception as error:  # the parser's own, and whatever half a file leads to
        raise UserError(
            f"resume={folder}: {saved} cannot be read ({type(error).__name__}): start anew with "
            f"the run's command line and resume=auto hydra.run.dir={folder}"
        ) from error
    keys = {override.partition("=")[0].lstrip("+~").partition("@")[0] for override in overrides}
    recipes = keys & {"experiment", "debug", "hparams_search"}
    if recipes:
        raise UserError(f"{recipes.pop()} cannot change on resume; override single keys instead")
    for key in _with_dependents(asked, keys):
        OmegaConf.update(config, key, OmegaConf.select(asked, key), merge=False)
    config.resume = config.run_dir = str(folder)
    return config


def find_checkpoint(run_dir: Path, resume: str | None) -> tuple[RunCheckpoint | None, str]:
    """Return the checkpoint to go on from, if any, and a warning.

    With `resume=auto` nothing to go on from is a reason to begin, and a damaged checkpoint gives
    way to the one before it; with an explicit `resume=RUN` the user decides. One that cannot be
    read is never treated as missing but a UserError: perhaps the disk is failing.
    """
    last = run_dir / "checkpoints" / "last.ckpt"
    if not resume or (resume == AUTO and not last.exists() and not previous(last).exists()):
        return None, ""
    try:
        return read_once(last), ""
    except DamagedCheckpoint as error:
        if resume != AUTO:
            raise
        try:
            checkpoint = read_checkpoint(previous(last))
        except UserError:
            raise UserError(
                f"{error}; nor can the one before it be read: move them away to begin anew, or "
                "choose another folder by hydra.run.dir=PATH"
            ) from error
        restore_previous(last)
        return checkpoint, f"{error}: going on from {previous(last)}, the one before."


def finished(settings: Settings) -> bool:
    """Return whether the run to resume is complete."""
    if not settings["resume"]:
        return False
    try:
        checkpoint = read_once(Path(settings["run_dir"]) / "checkpoints" / "last.ckpt")
    except UserError:  # will be said where it is read to go on from
        return False
    return bool(complete(checkpoint, settings))


def complete(checkpoint: RunCheckpoint, settings: Settings) -> str:
    """Return that a run has nothing left to do; "" if it has."""
    limit = settings["trainer"].get("max_epochs")
    if limit in (None, -1) or checkpoint.epochs < limit:
        return ""
    done = f"{checkpoint.epochs} of {limit} epochs"
    fixed = "trainer.max_epochs" in training_class(settings).fixed
    return f"already complete: {done}{'' if fixed else '; raise trainer.max_epochs to go on'}"


def fit_weights(
    run_dir: Path, checkpoint: RunCheckpoint, module: GenerativeModule, settings: Settings
) -> None:
    """Load the weights before anything is written.

    Raises:
        UserError: they were made with other networks, another kind of penalty or another data set.
    """
    trained, asked = checkpoint.config, settings
    fits, reason = trained["data"]["name"] == asked["data"]["name"] or asked["resume"] != AUTO, ""
    try:
        module.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        fits, reason = False, str(error).strip().splitlines()[-1].strip()
    if not fits:
        reason = difference(trained, asked) or reason
        raise UserError(f"resume={run_dir}: the settings do not fit its weights: {reason}")
    fit_position(run_dir, checkpoint, settings)


def fit_position(run_dir: Path, checkpoint: RunCheckpoint, settings: Settings) -> None:
    """Raise UserError if a position within an epoch now means other images; names the reason."""
    trained = checkpoint.config
    place = checkpoint.in_data(settings["data"]["_target_"].rpartition(".")[2])
    if not place.get("batch"):
        return
    for group, key in EPOCH:
        old, new = ((config[group] if group else config).get(key) for config in (trained, settings))
        if old != new:
            name = f"{group}.{key}" if group else key
            epoch = 1 + place["epoch"]
            raise UserError(
                f"resume={run_dir}: the run stopped within an epoch, where {name} cannot change "
                f"from {old} to {new}: finish that epoch by trainer.max_epochs={epoch} first"
            )


def difference(trained: Settings, asked: Settings) -> str:
    """Return which setting of the networks or the data differs, as a sentence; "" if none."""
    old, new = (
        dict(leaves(config["model"], "model")) | {"data.name": config["data"]["name"]}
        for config in (trained, asked)
    )
    moved = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if not moved:
        return ""
    # A network's arguments follow from the model's own keys: name the cause.
    key = min(moved, key=lambda name: name.count("."))
    more = f" ({len(moved) - 1} more differ)" if len(moved) > 1 else ""
    return f"trained with {key}={old.get(key)}, asked for {new.get(key)}{more}"
