"""Command lines: Hydra composes, we run, and every ending has its exit status.

0 done; 2 bad input or configuration; 1 failed while running; 130 or 143 after a signal.
"""

import sys
from collections.abc import Callable
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gan_lightning.cli.arguments import (
    CONF,
    check_options,
    check_place,
    check_resume,
    history,
    key_value,
)
from gan_lightning.cli.hints import hints
from gan_lightning.cli.sweep import Jobs, Task
from gan_lightning.config.schema import AUTO, register
from gan_lightning.system.signals import watched

_history: list[str] = []  # overrides of the run to go on with, beside this command line's own


def entry(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a command of a function that takes the composed config.

    Hydra ends with status 1 whatever went wrong. Here all errors up to the start of the task are
    the command line's, status 2, and so is a `UserError`; what else the task raises is 1.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def command() -> None:
            register()
            check_resume(sys.argv[1:])
            check_options(sys.argv[1:])
            ground = []
            if config_name == "config":  # the other commands make no folder of their own
                ground = check_place(sys.argv[1:])
            _history[:] = history(sys.argv[1:])
            sys.argv[1:1] = _history
            jobs = Jobs(task, ground)
            try:
                hydra.main(version_base="1.3", config_path=CONF, config_name=config_name)(jobs)()
            except SystemExit as end:
                if end.code == 1 and jobs.status == 2:
                    jobs.remove_sweep()
                    print(hints(CONF, config_name, sys.argv[1:]), end="", file=sys.stderr)
                sys.exit(jobs.status if end.code == 1 else end.code)
            jobs.report()

        return watched()(command)

    return decorate


def with_resume(config: DictConfig) -> tuple[DictConfig, list[str], list[str]]:
    """Return the config to run, the composed one or that of the run to go on with; all of its
    overrides so far; and those of this command line.
    """
    given = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    overrides = [
        item for item in cast(list[str], given) if key_value(item)[0] not in ("resume", "run_dir")
    ]
    own = [item for item in overrides if item not in _history]
    if config.resume and config.resume != AUTO:
        from gan_lightning.runs.resume import resume_config  # with Lightning: not for --help

        config = resume_config(config, own)
    return config, overrides, own
