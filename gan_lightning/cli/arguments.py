"""A command line, parsed once, and what Hydra would answer with a traceback or a riddle."""

import shlex
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from gan_lightning.config.schema import AUTO
from gan_lightning.errors import UserError
from gan_lightning.runs.record import read_record

CONF = str(Path(__file__).resolve().parents[2] / "conf")


def key_of(override: str) -> str:
    """Return the key of KEY=VALUE, +KEY=VALUE or ~KEY."""
    return override.partition("=")[0].lstrip("+~")


class CommandLine:
    """What was typed, as `sys.argv` has it: the script, Hydra's switches, and overrides."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = [*argv]
        known, rest = get_args_parser().parse_known_args(self.argv[1:])
        # Behind a switch argparse takes no overrides if there were some before it.
        behind = [argument for argument in rest if not argument.startswith("-")]
        self.overrides: list[str] = [*known.overrides, *behind]

    @property
    def command(self) -> str:
        return shlex.join(self.argv)

    @property
    def places(self) -> list[str]:
        """The switches that say where configs are: a job of a sweep is composed of the same."""
        known, _ = get_args_parser().parse_known_args(self.argv[1:])
        given = {name: getattr(known, f"config_{name}") for name in ("path", "name", "dir")}
        return [f"--config-{name}={value}" for name, value in given.items() if value]

    @cached_property
    def history(self) -> list[str]:
        """The overrides that a run to go on with was made with, but those given anew.

        What this command line changes is composed with them, not with the defaults:
        `penalty.every` exists if that run chose `penalty=r1_lazy`.
        """
        values = dict(override.partition("=")[::2] for override in self.overrides)
        folder = values.get("resume", "").strip("'\"")
        if not folder or folder == AUTO:
            return []
        past = read_record(Path(folder)).get("overrides", [])
        anew = tuple(f"{key_of(override)}." for override in self.overrides)
        return [
            item for item in past if type(item) is str and not f"{key_of(item)}.".startswith(anew)
        ]

    @property
    def composed(self) -> list[str]:
        """What Hydra is to compose: the history first, so that what was typed wins."""
        switches = [a for a in self.argv[1:] if a not in self.overrides]
        return [*self.history, *self.overrides, *switches]

    def check(self) -> None:
        """Raise a UserError if an argument is no override, or gives a group null."""
        parser = OverridesParser.create()
        for override in self.overrides:
            try:
                known = parser.parse_override(override).key_or_group
            except HydraException:
                known = ""
            if not known:
                raise UserError(
                    f"{override!r} is not KEY=VALUE, such as seed=3; put quotes around a value "
                    "with spaces or brackets: 'KEY=\"VALUE\"'"
                )
            _check_option(override)


def _check_option(override: str) -> None:
    """Raise a `UserError` for `loss=null`."""
    group, values = Path(CONF, key_of(override).partition("@")[0]), override.partition("=")[2]
    chosen = [name.strip(" '\"").lower() for name in values.strip("'\"[]").split(",")]
    if "null" in chosen and group.is_dir():
        options = ", ".join(sorted(file.stem for file in group.glob("*.yaml")))
        raise UserError(f"{override} is no option: leave it out, or choose of {options}")


def quoted(value: str) -> str:
    """Return a value between quotes, for an override."""
    inner = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inner}'"


def quote_lists(arguments: list[str]) -> list[str]:
    """Turn generator=A,B into generator=['A','B']: Hydra takes a bare comma for a sweep."""
    turned = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("generator", "images", "compare") and "," in value and value[0] not in "['\"":
            argument = (
                f"{key}=[" + ",".join(quoted(item) for item in value.split(",") if item) + "]"
            )
        turned.append(argument)
    return turned
