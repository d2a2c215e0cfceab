"""Runs one job or the jobs of a sweep, and reports failures."""

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.cli.folders import SWEEP_FILE, Folders
from gan_lightning.errors import RunError, UserError
from gan_lightning.system.job import hand_over
from gan_lightning.system.launched import launched_world
from gan_lightning.system.untrusted import printable

Task = Callable[[DictConfig, CommandLine], Any]


class Jobs:
    """Runs a task once, or once a job of a sweep, which goes on after a job that failed."""

    def __init__(self, task: Task, line: CommandLine) -> None:
        self.task = task
        self.line = line
        self.status = 2  # what an error that Hydra swallows means
        self.failed: list[tuple[int, str, int, str]] = []  # number, overrides, status, reason
        self._home = os.getpid()
        Folders.ground = Folders.sweep = None

    def __call__(self, config: DictConfig) -> Any:
        """Run one job."""
        self.status = 1
        sys.argv[:] = self.line.argv  # as typed: ranks may be started by the command again
        hydra_config = HydraConfig.get()
        try:
            value = self.task(config, self.line)
            hand_over(value=value)
            return value
        except Exception as error:
            expected = isinstance(error, UserError | RunError)
            status = 2 if isinstance(error, UserError) else 1
            # A launcher's own process has no table to write to: Hydra brings the error home. Of
            # several that torchrun started, one alone may have failed: all end.
            sweep = hydra_config.mode == RunMode.MULTIRUN and os.getpid() == self._home
            sweep = sweep and launched_world() == 1
            reason = str(error) if expected else f"{type(error).__name__}: {error}"
            hand_over(reason)
            if not expected and (not sweep or os.environ.get("HYDRA_FULL_ERROR") == "1"):
                raise
            where = f"job {hydra_config.job.num}: " if sweep else ""
            print(*map(printable, f"{where}{reason}".split("\n")), sep="\n", file=sys.stderr)
            if not sweep:
                sys.exit(status)
            number, overrides = hydra_config.job.num, " ".join(hydra_config.overrides.task)
            self.failed.append((number, overrides, status, reason))
            return math.nan
        finally:
            # A sweep's own folder is still to be written to: `report` looks at that.
            above = hydra_config.mode != RunMode.MULTIRUN
            self._remove_if_empty(Path(hydra_config.runtime.output_dir), above)

    def report(self) -> None:
        """Show a table of the jobs that failed, if any, and end with the worst status."""
        if not self.failed:
            return
        from rich.console import Console  # only now: `--help` is to be quick
        from rich.table import Table

        table = Table("job", "overrides", "status", "reason", title="jobs that failed")
        for number, overrides, status, reason in self.failed:
            table.add_row(str(number), overrides, str(status), printable(reason.split("\n")[0]))
        width = None if sys.stderr.isatty() else 200
        Console(stderr=True, markup=False, width=width).print(table)
        self.remove_sweep()
        sys.exit(min(status for _, _, status, _ in self.failed))

    def remove_sweep(self) -> None:
        """Remove the folder of a sweep that left no job's: Hydra put its own file there."""
        folder = Folders.sweep
        if folder is None or not folder.is_dir():
            return
        if {path.name for path in folder.iterdir()} <= {SWEEP_FILE}:
            (folder / SWEEP_FILE).unlink(missing_ok=True)
            self._remove_if_empty(folder)

    def _remove_if_empty(self, folder: Path, above: bool = True) -> None:
        """Remove a folder without anything in it, and those above it that are new and empty."""
        folder, old = folder.resolve(), {Path.cwd()}
        old |= {Folders.ground.resolve()} if Folders.ground else set()
        new = [path for path in folder.parents if old & {*path.parents}] if above else []
        for path in (folder, *new):
            if path in old:
                return
            try:
                path.rmdir()
            except OSError:  # something is in it, or it is not there
                return
