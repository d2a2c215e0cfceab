"""Command lines: Hydra composes, we run, and every ending has its exit status.

0 done; 2 bad input or configuration; 1 failed while running; 130 or 143 after a signal.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gan_lightning.cli.arguments import CONF, CommandLine, key_of
from gan_lightning.cli.hints import hints
from gan_lightning.cli.sweep import Jobs, Task
from gan_lightning.config.schema import AUTO, register
from gan_lightning.errors import UserError
from gan_lightning.runs.record import Start
from gan_lightning.system.job import obey
from gan_lightning.system.launched import one_console
from gan_lightning.system.signals import watched


def entry(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a command of a function that takes the composed config and the command line.

    Hydra ends with status 1 whatever went wrong. Here what goes wrong before the task is status 2.
    """

    def decorate(task: Task) -> Callable[[], None]:
        @one_console()
        def command() -> None:
            obey()
            register()
            line = CommandLine(sys.argv)
            jobs = Jobs(task, line)
            try:
                line.check()
            except UserError as error:
                print(error, file=sys.stderr)
                sys.exit(2)
            sys.argv[1:] = line.composed
            try:
                hydra.main(version_base="1.3", config_path=CONF, config_name=config_name)(jobs)()
            except SystemExit as end:
                if end.code == 1 and jobs.status == 2:
                    jobs.remove_sweep()
                    print(hints(config_name, line.composed), end="", file=sys.stderr)
                sys.exit(jobs.status if end.code == 1 else end.code)
            jobs.report()

        return watched()(command)

    return decorate


def leave() -> NoReturn:
    """End this process, done, without taking its libraries apart.

    To unload torch takes half a second and 100 MB: as much as a small grid does.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def with_resume(config: DictConfig, line: CommandLine) -> tuple[DictConfig, Start]:
    """Return the config to run, composed or that of the run to go on with, and its start."""
    given: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    overrides = [item for item in given if key_of(item) not in ("resume", "run_dir")]
    own = [item for item in overrides if item not in line.history]
    if config.resume and config.resume != AUTO:
        from gan_lightning.runs.resume import resume_config  # with Lightning: not for --help

        config = resume_config(config, own)
    return config, Start(line.command, overrides, own)
