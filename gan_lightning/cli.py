"""Command lines: Hydra composes, we run, and every ending has its exit status.

0 done; 2 bad input or configuration; 1 failed while running.
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from gan_lightning.checks import leaves, nearest
from gan_lightning.config import register, resume_config
from gan_lightning.errors import UserError
from gan_lightning.strangers import printable

CONF = str(Path(__file__).resolve().parents[1] / "conf")
Task = Callable[[DictConfig], Any]


def entry(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a command of a function that takes the composed config.

    Hydra ends with status 1 whatever went wrong. Here all errors up to the start of the task are
    the command line's, status 2, and so is a `UserError`; what else the task raises is 1.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def command() -> None:
            register()
            check_resume(sys.argv[1:])
            status, failed = 2, []

            def run(config: DictConfig) -> Any:
                nonlocal status
                status = 1
                try:
                    return task(config)
                except UserError as error:
                    _remove_if_empty(Path(HydraConfig.get().runtime.output_dir))
                    if HydraConfig.get().mode != RunMode.MULTIRUN:
                        print(*map(printable, str(error).split("\n")), sep="\n", file=sys.stderr)
                        sys.exit(2)
                    failed.append(f"job {HydraConfig.get().job.num}: {error}")
                    return math.nan  # the sweep goes on with its other jobs

            try:
                hydra.main(version_base="1.3", config_path=CONF, config_name=config_name)(run)()
            except SystemExit as end:
                if end.code == 1 and status == 2:
                    print(near_names(config_name, sys.argv[1:]), end="", file=sys.stderr)
                sys.exit(status if end.code == 1 else end.code)
            if failed:
                print("\n".join(failed), file=sys.stderr)
                sys.exit(2)

        return command

    return decorate


def check_resume(arguments: list[str]) -> None:
    """Refuse a folder to resume from that is none, before Hydra makes it."""
    for argument in arguments:
        key, _, value = argument.partition("=")
        folder = Path(value.strip("'\""))
        if key == "resume" and value not in ("", "null") and not (folder / "config.yaml").is_file():
            print(f"{argument}: no run is there (a folder with config.yaml)", file=sys.stderr)
            sys.exit(2)


def near_names(config_name: str, arguments: list[str]) -> str:
    """Return a line for every override whose key does not exist: what it may have meant."""
    with hydra.initialize_config_dir(CONF, version_base="1.3"):
        config = hydra.compose(config_name)
    known = [key for key, _ in leaves(OmegaConf.to_container(config, resolve=False), inner=True)]
    asked = [argument.partition("=")[0] for argument in arguments if "=" in argument]
    unknown = [key for key in asked if key[0].isalpha() and key not in known]
    hints = {key: nearest(key, known) for key in unknown}
    return "".join(f"unknown key {key!r}{hint}\n" for key, hint in hints.items() if hint)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and folder.resolve() != Path.cwd() and not any(folder.iterdir()):
        folder.rmdir()


def with_resume(config: DictConfig) -> DictConfig:
    """Return the config to run: the composed one, or that of the run to go on with."""
    if not config.resume:
        return config
    overrides = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
    return resume_config(config, overrides)
