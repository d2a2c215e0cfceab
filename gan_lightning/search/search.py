"""A search from its first trial to its table; one that is there is gone on with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from gan_lightning.errors import RunError, UserError
from gan_lightning.search.asked import Asked
from gan_lightning.search.board import finish
from gan_lightning.search.loop import Loop
from gan_lightning.search.recipe import Recipe, looked_at
from gan_lightning.search.space import Dimension, read_space
from gan_lightning.system.folder_lock import run_folder
from gan_lightning.system.signals import SIGNALS

DATABASE = "search.db"
NAME = "search"  # of the only study in it
WAIT = 60.0  # seconds for another reader of the file, such as optuna-dashboard
STARTUP = 5  # whole trials before any is pruned
FIRST = 2  # the number of the first score that a trial is pruned at


def search(asked: Asked, command: str) -> None:
    """Run the trials that are missing, then show and write what all of them came to.

    Raises:
        UserError: what is asked for does not work, or does not fit the search in the folder.
        RunError: the first trials all failed.
    """
    space = read_space(asked.space)
    recipe = looked_at(asked, space)
    with run_folder(asked.folder, "folder", "folder=PATH"):
        study = opened(asked, recipe, space)
        try:
            try:
                with SIGNALS.waiting():
                    Loop(study, asked, recipe, space).run()
            finally:
                SIGNALS.training = False
                finish(study, asked, recipe.metric, space, command)
        except (OSError, SQLAlchemyError, StorageInternalError) as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            said = f"{asked.folder} could not be written ({reason}): make room, then go on by"
            raise RunError(f"{said} the same command") from error


def opened(asked: Asked, recipe: Recipe, space: Sequence[Dimension]) -> optuna.Study:
    """Return the study of a folder, new or to go on with.

    The first trial of a new one has the recipe's own settings, if the space holds them.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = asked.folder / DATABASE
    try:
        options = {"connect_args": {"timeout": WAIT}}
        study = optuna.create_study(
            storage=RDBStorage(f"sqlite:///{file}", engine_kwargs=options),
            study_name=NAME,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(STARTUP, n_warmup_steps=FIRST),
        )
        known = study.get_trials(deepcopy=False)
    except (SQLAlchemyError, RuntimeError) as error:  # RuntimeError: another version's file
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise UserError(f"{file} cannot be read ({reason}): choose another folder=PATH") from error
    study.sampler = optuna.samplers.TPESampler(seed=len(known))  # else draws would be repeated
    _require_same(study, asked, space)
    if not known and all(one.holds(recipe.values[one.key]) for one in space):
        study.enqueue_trial(dict(recipe.values), user_attrs={"default": True})
    return study


def _require_same(study: optuna.Study, asked: Asked, space: Sequence[Dimension]) -> None:
    """Keep what was asked for; raise UserError if the search in the folder was asked for else."""
    wanted: dict[str, Any] = {
        "space": [asdict(one) for one in space],
        "overrides": sorted(asked.overrides),
        "images": asked.images,
        "looks": asked.looks if asked.images else None,
    }
    wanted = json.loads(json.dumps(wanted))
    there: Mapping[str, Any] = study.user_attrs.get("asked", wanted)
    for key, value in wanted.items():
        if there[key] != value:
            was = "other settings" if key == "space" else there[key]
            raise UserError(
                f"folder={asked.folder} holds a search with {key}: {was}; go on with that, or "
                "choose another folder=PATH"
            )
    study.set_user_attr("asked", wanted)
