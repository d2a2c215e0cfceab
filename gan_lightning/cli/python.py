"""A run from Python or a notebook, by the overrides of the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.cli.entry import entry, with_resume
from gan_lightning.errors import UserError
from gan_lightning.system.portable import STATUS
from gan_lightning.system.signals import SIGNALS


def train(overrides: Sequence[str] = ()) -> Path:
    """Train one run as `python train.py OVERRIDES` does, and return its folder.

    Ctrl-C, or the stop button of a notebook, ends the run at the end of the batch, saved.

    Args:
        overrides: such as ["experiment=quickstart", "seed=1"].

    Raises:
        UserError: the overrides, the data or the devices do not allow it.
        RunError: the run started and could not go on.
        KeyboardInterrupt: it was stopped; says how to resume it.
    """
    switches = [item for item in overrides if item.startswith("-")]
    if switches:
        raise UserError(f"train takes overrides such as seed=1, not {switches[0]}: use train.py")
    from gan_lightning.runs.train import train as train_run  # takes seconds to import

    folders: list[Path] = []
    failures: list[BaseException] = []

    def task(config: DictConfig, line: CommandLine) -> Any:
        try:
            config, start = with_resume(config, line)
            folders.append(Path(config.run_dir).absolute())
            return train_run(config, start)
        except BaseException as error:  # Hydra would print it and exit
            failures.append(error)

    before, sys.argv = sys.argv, ["train.py", *overrides]
    SIGNALS.keep_process = True
    try:
        entry("config")(task)()
    except SystemExit as end:
        if not failures:
            raise UserError("the overrides do not compose: the reason is printed above") from end
    finally:
        sys.argv = before
        SIGNALS.keep_process = False
    for failure in failures:
        if isinstance(failure, SystemExit):
            saved = "and saved" if failure.code in STATUS.values() else "without saving"
            raise KeyboardInterrupt(f"stopped {saved}: train(['resume={folders[0]}']) goes on")
        raise failure
    return folders[0]
