"""Command lines: Hydra composes, we run, and every ending has its exit status.

0 done; 2 bad input or configuration; 1 failed while running; 130 or 143 after a signal.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from gan_lightning.config import register
from gan_lightning.endings import watched
from gan_lightning.hints import hints
from gan_lightning.jobs import Jobs, Task
from gan_lightning.record import read_record
from gan_lightning.resuming import AUTO, resume_config

CONF = str(Path(__file__).resolve().parents[1] / "conf")
# Switches that end before anything is made.
SHOWING = {"-h", "--help", "--hydra-help", "--version", "-c", "--cfg", "-i", "--info"}
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


def _given(argument: str) -> tuple[str, str]:
    key, _, value = argument.partition("=")
    return key, value.strip("'\"")


def check_resume(arguments: list[str]) -> None:
    """Refuse a folder to resume from that is none, before Hydra makes it."""
    given = dict(map(_given, arguments))
    value = given.get("resume", "")
    folders = {"run_dir", "hydra.run.dir", "hydra.sweep.dir"}
    if value == AUTO and not folders & given.keys():
        sys.stderr.write(
            "resume=auto: which run? name its folder by hydra.run.dir=FOLDER "
            "(a sweep's by hydra.sweep.dir=FOLDER)\n"
        )
        sys.exit(2)
    if value not in ("", "null", AUTO) and not (Path(value) / "config.yaml").is_file():
        print(f"resume={value}: no run is there (a folder with config.yaml)", file=sys.stderr)
        sys.exit(2)


def check_options(arguments: list[str]) -> None:
    """Refuse `loss=null`: Hydra's error is a traceback."""
    groups = {path.name: path for path in Path(CONF).iterdir() if path.is_dir()}
    for key, value in map(_given, arguments):
        group = groups.get(key.lstrip("+").partition("@")[0])
        chosen = [name.strip(" '\"").lower() for name in value.strip("[]").split(",")]
        if group and "null" in chosen:
            options = ", ".join(sorted(file.stem for file in group.glob("*.yaml")))
            way = f"leave it out, or choose of {options}"
            print(f"{key}={value} is no option: {way}", file=sys.stderr)
            sys.exit(2)


def check_place(arguments: list[str]) -> list[Path]:
    """Refuse a place for new folders where none can be made: Hydra's error is a traceback.

    Returns:
        The folder that is there already, and in which new ones will be made; empty if none will.
    """
    given = dict(map(_given, arguments))
    if SHOWING & given.keys() or given.get("resume", AUTO) not in ("", "null", AUTO):
        return []
    sweep = {"-m", "--multirun"} & given.keys() or given.get("hydra.mode", "").upper() == "MULTIRUN"
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    # What stands before an interpolation is all that is known of a path.
    place = Path((given.get(key) or "outputs").partition("${")[0]).absolute()
    while not os.path.lexists(place):
        place = place.parent
    try:
        tempfile.TemporaryDirectory(dir=place).cleanup()
    except OSError as error:
        print(
            f"{key}={given.get(key) or 'outputs/...'} cannot be written: {place}: "
            f"{error.strerror}; choose another folder",
            file=sys.stderr,
        )
        sys.exit(2)
    return [place]


def history(arguments: list[str]) -> list[str]:
    """Return the overrides that a run to go on with was made with, but those given anew.

    What this command line changes is composed with them, not with the defaults: `penalty.every`
    exists if that run chose `penalty=r1_lazy`.
    """
    given = dict(map(_given, arguments))
    folder = given.get("resume")
    if not folder or folder == AUTO:
        return []
    past = [item for item in read_record(Path(folder)).get("overrides", []) if type(item) is str]
    anew = {key.lstrip("+~") for key in given}
    return [
        item
        for item in past
        if not any((_given(item)[0].lstrip("+~") + ".").startswith(f"{key}.") for key in anew)
    ]


def with_resume(config: DictConfig) -> tuple[DictConfig, list[str], list[str]]:
    """Return the config to run, the composed one or that of the run to go on with; all of its
    overrides so far; and those of this command line.
    """
    given = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    overrides = [
        item for item in cast(list[str], given) if _given(item)[0] not in ("resume", "run_dir")
    ]
    own = [item for item in overrides if item not in _history]
    if config.resume and config.resume != AUTO:
        config = resume_config(config, own)
    return config, overrides, own
