"""The recipe that is searched around: composed and built once, before the first trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gan_lightning.cli.arguments import CONF, CommandLine, key_of
from gan_lightning.cli.hints import hints
from gan_lightning.config import Settings
from gan_lightning.config.schema import register, resolved
from gan_lightning.errors import UserError
from gan_lightning.search.asked import KEYS, Asked
from gan_lightning.search.space import Dimension

BATCH = "data.batch_size"


@dataclass(frozen=True)
class Recipe:
    """What the search knows of its runs."""

    metric: str  # a column of metrics.csv, to be minimised
    looks: float  # how many values of it a whole run has; inf: not known
    batch_size: int
    parts: int  # batches in a step, over all devices
    values: Mapping[str, Any]  # what the recipe itself has at the keys that are searched

    def overrides(self, asked: Asked, values: Mapping[str, Any]) -> list[str]:
        """Return what a trial's run is given beside the settings: the budget."""
        if not asked.images:
            return []
        batch = values.get(BATCH, self.batch_size) * self.parts
        steps = max(1, round(asked.images / asked.looks / batch))
        return [f"trainer.max_epochs={asked.looks}", f"trainer.limit_train_batches={steps}"]


def looked_at(asked: Asked, space: Sequence[Dimension]) -> Recipe:
    """Return the recipe, tried with both ends of all ranges.

    Raises:
        UserError: it does not compose or cannot be built, or its metric is not measured.
    """
    CommandLine(["train.py", *asked.overrides]).check()
    register()
    searched = {one.key for one in space}
    for word in asked.overrides:
        if key_of(word) in searched:
            raise UserError(f"{word}: {key_of(word)} is searched by space={asked.space}")
    own = _composed(asked.overrides)
    _check(resolved(own))
    from gan_lightning.runs.preflight import preflight  # takes seconds: after the quick checks

    for end in (0, 1):
        words = [one.override(one.ends[end]) for one in space]
        built = preflight(_composed([*asked.overrides, *words]), asked.overrides)
    settings = built.settings
    batch = int(settings["data"]["batch_size"])
    return Recipe(
        metric=settings["optimized_metric"],
        looks=_looks(asked, settings),
        batch_size=batch,
        parts=built.data.loader_batch_size // batch * built.trainer.world_size,
        values={one.key: OmegaConf.select(own, one.key) for one in space},
    )


def _composed(words: Sequence[str]) -> DictConfig:
    try:
        with initialize_config_dir(CONF, version_base="1.3"):
            return compose("config", [*words, "run_dir=."])
    except (HydraException, OmegaConfBaseException) as error:
        for word in words:
            if close := get_close_matches(key_of(word), KEYS, 1, 0.75):
                raise UserError(f"{word}: did you mean {close[0]}?") from error
        hint = hints("config", [*words]).strip()
        raise UserError(hint or str(error).strip().splitlines()[0]) from error


def _check(settings: Settings) -> None:
    """Raise UserError if the runs would not write what is minimised."""
    metric = str(settings["optimized_metric"])
    if metric.startswith("score/") and not settings["callbacks"].get("scores"):
        raise UserError(
            f"optimized_metric={metric} is not measured with callbacks.scores off: leave it on, "
            "or minimise another column of metrics.csv, such as optimized_metric=loss/G"
        )
    if not settings["optimized_metric"] or not settings["logger"].get("csv"):
        raise UserError("a search reads optimized_metric from metrics.csv: leave both on")


def _looks(asked: Asked, settings: Settings) -> float:
    """Return how many values of the metric a whole run has, if it is a score."""
    epochs = asked.looks if asked.images else settings["trainer"]["max_epochs"]
    if not settings["optimized_metric"].startswith("score/") or not epochs or epochs < 0:
        return math.inf
    return math.ceil(epochs / settings["callbacks"]["scores"].get("every_n_epochs", 1))
