"""Hints for a command line that does not compose: near names, and wrong values."""

from pathlib import Path

import hydra
from omegaconf import OmegaConf

from gan_lightning.cli.arguments import CONF
from gan_lightning.config.checks import leaves, problems, suggestion
from gan_lightning.config.schema import resolved, written


def hints(config_name: str, arguments: list[str]) -> str:
    """Return a line for every key and option that does not exist, and for every wrong value."""
    with hydra.initialize_config_dir(CONF, version_base="1.3"):
        known = _known(config_name, arguments)
        found = [_hint(argument, known) for argument in arguments]
        lines = [hint for hint in found if hint]
        if config_name == "config":
            good = [argument for argument, hint in zip(arguments, found, strict=True) if not hint]
            lines += _wrong_values([argument for argument in good if _composes(argument, "config")])
    return "".join(f"{line}\n" for line in lines)


def _known(config_name: str, arguments: list[str]) -> list[str]:
    """Return every key there is by default or with an option that the arguments choose."""
    chosen: list[list[str]] = [[]]
    for argument in arguments:
        group, _, values = argument.partition("=")
        for option in values.split(","):
            there = Path(CONF, group, f"{option}.yaml").is_file()
            if there and _composes(f"{group}={option}", config_name):
                chosen.append([f"{group}={option}"])
    nodes = [OmegaConf.to_container(hydra.compose(config_name, one)) for one in chosen]
    return list(dict.fromkeys(key for node in nodes for key, _ in leaves(node, inner=True)))


def _hint(argument: str, known: list[str]) -> str:
    """Return what an argument may have meant; "" if nothing is near, or there is no need."""
    key, equals, value = argument.partition("=")
    if not equals or not key[0].isalpha() or key.startswith("hydra."):
        return ""
    group = Path(CONF, key)
    if key not in known and not group.is_dir():
        hint = suggestion(key, known)
        return f"unknown key {key!r}{hint}" if hint else ""
    options = sorted(file.stem for file in group.glob("*.yaml"))
    chosen = [name.strip("[]'\" ") for name in value.split(",")]
    wrong = [name for name in chosen if options and name not in (*options, "null", "")]
    hint = suggestion(wrong[0], options, cutoff=0.5) if wrong else ""
    return f"{key}={wrong[0]} is no option{hint}" if hint else ""


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
