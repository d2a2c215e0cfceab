"""Hints for a command line that does not compose: near names, and wrong values."""

from pathlib import Path

import hydra
from omegaconf import OmegaConf

from gan_lightning.config.checks import leaves, problems, suggestion
from gan_lightning.config.schema import resolved, written


def hints(conf: str, config_name: str, arguments: list[str]) -> str:
    """Return a line for every key and option that does not exist, and for every wrong value.

    Args:
        conf: the folder of the config files.
        config_name: of the command.
        arguments: its overrides and switches.
    """
    with hydra.initialize_config_dir(conf, version_base="1.3"):
        known = _known(config_name, Path(conf), arguments)
        lines, good = [], []
        for argument in arguments:
            hint = _hint(argument, Path(conf), known)
            lines += [hint] if hint else []
            good += [] if hint is not None else [argument]
        if config_name == "config":
            lines += _wrong_values(
                [argument for argument in good if _composes(argument, config_name)]
            )
    return "".join(f"{line}\n" for line in lines)


def _known(config_name: str, conf: Path, arguments: list[str]) -> list[str]:
    """Return every key there is by default or with an option that the arguments choose."""
    chosen: list[list[str]] = [[]]
    for argument in arguments:
        group, equals, values = argument.partition("=")
        for option in values.split(",") if equals else ():
            if (conf / group / f"{option}.yaml").is_file() and _composes(
                f"{group}={option}", config_name
            ):
                chosen.append([f"{group}={option}"])
    nodes = [OmegaConf.to_container(hydra.compose(config_name, one)) for one in chosen]
    return list(dict.fromkeys(key for node in nodes for key, _ in leaves(node, inner=True)))


def _hint(argument: str, conf: Path, known: list[str]) -> str | None:
    """Return what an argument may have meant, "" if nothing is near; None if there is no need."""
    key, equals, value = argument.partition("=")
    if not equals or not key[0].isalpha() or key.startswith("hydra."):
        return None
    if key not in known and not (conf / key).is_dir():
        return _line(f"unknown key {key!r}", suggestion(key, known))
    options = sorted(file.stem for file in (conf / key).glob("*.yaml"))
    chosen = [name.strip("[]'\" ") for name in value.split(",")]
    wrong = [name for name in chosen if options and name not in (*options, "null", "")]
    if not wrong:
        return None
    return _line(f"{key}={wrong[0]} is no option", suggestion(wrong[0], options, cutoff=0.5))


def _line(complaint: str, hint: str) -> str:
    return f"{complaint}{hint}" if hint else ""


def _composes(argument: str, config_name: str) -> bool:
    """Whether an argument composes by itself; `seed=x` does not."""
    try:
        hydra.compose(config_name, [argument] if "=" in argument else [])
    except Exception:  # Hydra has told which
        return False
    return True


def _wrong_values(arguments: list[str]) -> list[str]:
    """Return the problems of the values, without the arguments that do not compose."""
    try:
        config = hydra.compose("config", [*(a for a in arguments if "=" in a), "run_dir=."])
        return problems(resolved(config), written(config))
    except Exception:  # a sweep, or another error that Hydra has told or will tell
        return []
