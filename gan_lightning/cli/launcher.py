"""The jobs of a sweep as processes of their own: made, watched, told to end, reported.

Where they run, the classes in `hydra_plugins/gan_lightning_launchers.py` say. Hydra's own launchers
of these names are not used: they run a job inside of a worker, whose end takes the other jobs with
it (joblib), or whose jobs go on unwatched when the first one fails (submitit, Ray).
"""

import logging
import math
import os
import re
import sys
import time
from abc import abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

from hydra.core.utils import JobReturn, JobStatus, configure_log
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict

from gan_lightning.cli.made_jobs import make_job, outcome_of_complete
from gan_lightning.cli.sweep import Jobs
from gan_lightning.config.checks import wrong_arguments
from gan_lightning.errors import UserError
from gan_lightning.ranges import Count, Positive, Whole
from gan_lightning.system.job import POLL, Job, Outcome
from gan_lightning.system.launched import launched
from gan_lightning.system.portable import cores
from gan_lightning.system.untrusted import printable

ROOT = Path(__file__).resolve().parents[2]
log = logging.getLogger(__name__)


class SweepLauncher(Launcher):
    """Runs each job of a sweep as a command of its own."""

    library: ClassVar[str]  # the extra has the same name

    def __init__(
        self,
        jobs: Count | None = None,
        cores: Count = 1,
        gpus: Whole = 0,
        minutes: Positive | None = None,
        requeue: Whole = 0,
    ) -> None:
        self.jobs, self.cores, self.gpus = jobs, cores, gpus
        self.minutes, self.requeue = minutes, requeue

    @property
    def side_by_side(self) -> int:
        """How many jobs this machine runs at a time."""
        return self.jobs or max(1, cores() // self.cores)

    @property
    def at_once(self) -> int:
        """How many jobs the library may have at a time: all, if it has a queue."""
        return sys.maxsize

    @abstractmethod
    def start(self, jobs: Sequence[Job]) -> Sequence[Any]:
        """Start jobs, and return for each what has `done()` and `result()`: its `Outcome`."""

    def cancel(self, handles: Sequence[Any]) -> None:
        """Tell jobs to end whom no file in the sweep's folder tells."""

    def setup(self, *, hydra_context: HydraContext, task_function: Any, config: DictConfig) -> None:
        self.config, self.context = config, hydra_context
        self.task: Jobs = task_function
        self.choice = f"hydra/launcher={config.hydra.runtime.choices['hydra/launcher']}"

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs that are not complete; the sweep ends with a table of those that failed."""
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        self.sweep = Path(self.config.hydra.sweep.dir).absolute()
        self.stop = self.sweep / f".stop-{os.getpid()}-{token_hex(4)}"
        try:
            self._check()
            made = [self._made(initial_job_idx + k, [*o]) for k, o in enumerate(job_overrides)]
            self.task.status = 1
            known = [(job, outcome_of_complete(job, config)) for job, config in made]
            outcomes = {job.number: outcome for job, outcome in known if outcome}
            missing = [job for job, outcome in known if not outcome]
            many = f"{len(missing)} of {len(made)} jobs"
            log.info(f"{many} to run ({self.choice}), logs in {self.sweep}/*.log")
            outcomes |= self._watch(missing)
        except UserError as error:
            print(error, file=sys.stderr)
            self.task.remove_sweep()
            sys.exit(2)
        except (SystemExit, KeyboardInterrupt):
            self._say_how_to_go_on()
            raise
        if any(outcome.status for outcome in outcomes.values()):
            self._say_how_to_go_on()
        return [self._returned(job, config, outcomes[job.number]) for job, config in made]

    def _check(self) -> None:
        """Raise UserError if a key has a wrong value, or the library is missing."""
        given = OmegaConf.to_container(self.config.hydra.launcher, resolve=True)
        for key, value, reason in wrong_arguments(given, "hydra.launcher"):
            raise UserError(f"{key}={value} {reason}")
        if launched():
            raise UserError(f"{self.choice} starts jobs by itself: run it without torchrun")
        if find_spec(self.library) is None:
            way = f"pip install -c constraints.txt -e '.[{self.library}]'"
            raise UserError(f"{self.choice} needs {self.library}: {way}")

    def _made(self, number: int, overrides: list[str]) -> tuple[Job, DictConfig]:
        """Return a job with this launcher's settings, and its config."""
        config = self.context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        job = make_job(config, self.task, self.sweep, self.stop)
        job.environment["OMP_NUM_THREADS"] = str(self.cores)
        job.minutes, job.requeue = self.minutes, self.requeue
        return job, config

    def _watch(self, jobs: Sequence[Job]) -> dict[int, Outcome]:
        """Run jobs to their end; when this process is told to end, they are."""
        waiting, running, ended = [*jobs], dict[int, Any](), dict[int, Outcome]()
        try:
            while waiting or running:
                batch = waiting[: self.at_once - len(running)]
                if batch:
                    running |= zip([job.number for job in batch], self._started(batch), strict=True)
                    waiting = waiting[len(batch) :]
                for number in [number for number in running if running[number].done()]:
                    ended[number] = one = _result(running.pop(number))
                    if one.status:
                        print(f"job {number}: {printable(one.reason)}", file=sys.stderr)
                    else:
                        log.info(f"job {number}: complete")
                time.sleep(POLL)
        except BaseException:
            self._end([*running.values()])
            raise
        finally:
            self.stop.unlink(missing_ok=True)
        return ended

    def _started(self, jobs: Sequence[Job]) -> Sequence[Any]:
        try:
            return self.start(jobs)
        except Exception as error:  # each library has its own, for a partition that is not there
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{self.choice}: {reason}") from error

    def _end(self, handles: Sequence[Any]) -> None:
        """Tell the jobs to end, and wait for them; asked a second time they end at once."""
        for words in ("", "at once"):
            try:
                self.stop.write_text(words)
                if not words:
                    self.cancel(handles)
                while not all(handle.done() for handle in handles):
                    time.sleep(POLL)
                return
            except (SystemExit, KeyboardInterrupt):
                continue

    def _say_how_to_go_on(self) -> None:
        where = f"hydra.sweep.dir={self.config.hydra.sweep.dir}"
        log.info(f"the jobs that are not complete: the same command with {where} resume=auto")

    def _returned(self, job: Job, config: DictConfig, outcome: Outcome) -> JobReturn:
        """Return what the sweeper gets to know; a failure is for the sweep's table."""
        if outcome.status:
            row = (job.number, " ".join(job.overrides), outcome.status, outcome.reason)
            self.task.failed.append(row)
        returned = JobReturn(overrides=job.overrides, cfg=config, task_name=config.hydra.job.name)
        returned.status = JobStatus.COMPLETED
        returned.return_value = math.nan if outcome.status else outcome.value
        return returned


def _result(handle: Any) -> Outcome:
    """Return the outcome of a job; that of one whose library lost it is the library's word."""
    try:
        return handle.result()
    except Exception as error:  # each library has its own, with a traceback in it
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"[\w.]+Error: ", line)]
        return Outcome(1, (errors[-1:] or lines[:1] or [type(error).__name__])[0])
