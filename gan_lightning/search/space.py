"""The space file: which settings are searched, and what each may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna.trial import Trial

from gan_lightning.cli.arguments import CONF
from gan_lightning.errors import UserError

GROUP = Path(CONF, "search")
_RANGE = {"low", "high", "log", "step"}


@dataclass(frozen=True)
class Dimension:
    """One setting: a list of choices, or a range, of whole numbers if both of its ends are."""

    key: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return not any(isinstance(end, float) for end in (self.low, self.high, self.step))

    @property
    def ends(self) -> tuple[Any, Any]:
        """The first and the last value."""
        return (self.choices[0], self.choices[-1]) if self.choices else (self.low, self.high)

    def suggest(self, trial: Trial) -> Any:
        """Return the value of a trial; one that was suggested before stays."""
        if self.choices:
            return trial.suggest_categorical(self.key, self.choices)
        if self.whole:
            step = int(self.step or 1)
            return trial.suggest_int(
                self.key, int(self.low), int(self.high), step=step, log=self.log
            )
        return trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value is one that the search could come to."""
        if self.choices:
            return value in self.choices
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        on_grid = not self.step or (value - self.low) % self.step == 0
        return self.low <= value <= self.high and on_grid and (not self.whole or value % 1 == 0)

    def override(self, value: Any) -> str:
        """Return what the command line says: numbers to four digits, as they are trained with."""
        return f"{self.key}={shown(value)}"


def shown(value: Any) -> str:
    """Return a value as Hydra reads it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read_space(name: str) -> tuple[Dimension, ...]:
    """Return the settings of a space file.

    Args:
        name: an option of conf/search, or a path.

    Raises:
        UserError: it is not there, or says what cannot be searched.
    """
    path = GROUP / f"{name}.yaml" if (GROUP / f"{name}.yaml").is_file() else Path(name)
    if not path.is_file():
        options = ", ".join(sorted(file.stem for file in GROUP.glob("*.yaml")))
        raise UserError(f"space={name} is no file, and no option of conf/search: {options}")
    try:
        node = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # the parser's own, of many kinds
        raise UserError(f"{path} is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(node, dict) or not node:
        raise UserError(f"{path} must have a line for each setting, such as optimizer.lr: [1, 2]")
    return tuple(_dimension(path, str(key), value) for key, value in node.items())


def _dimension(path: Path, key: str, node: Any) -> Dimension:
    if isinstance(node, list) and len(node) > 1:
        if all(value is None or isinstance(value, str | int | float) for value in node):
            return Dimension(key, choices=tuple(node))
    elif isinstance(node, dict) and {"low", "high"} <= node.keys() <= _RANGE:
        found = Dimension(key, **node)
        if wrong := _wrong(found):
            raise UserError(f"{path}: {key}: {wrong}")
        return found
    raise UserError(
        f"{path}: {key} must be a list of two or more values, or "
        "{low: 1e-4, high: 1e-2, log: true}, where log and step may be left out"
    )


def _wrong(one: Dimension) -> str:
    """Return what is wrong with a range; "" if nothing is."""
    numbers: Sequence[Any] = [one.low, one.high, *([] if one.step is None else [one.step])]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in numbers):
        return "low, high and step must be numbers"
    if not isinstance(one.log, bool):
        return "log must be true or false"
    if not one.low < one.high:
        return f"low ({one.low}) must be below high ({one.high})"
    if one.log and one.low <= 0:
        return f"low ({one.low}) must be above 0 with log: true"
    if one.step is not None and (one.log or one.step <= 0):
        return "step must be above 0, and goes without log"
    return ""
