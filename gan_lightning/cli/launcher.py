"""The jobs of a sweep as processes of their own: made, watched, told to end, reported.

Where they run, the classes in `hydra_plugins/gan_lightning_launchers.py` say. Hydra's own launchers
of these names are not used: they run a job inside of a worker, whose end takes the other jobs with
it (joblib), or whose jobs go on unwatched when the first one fails (submitit, Ray).
"""

import logging
import math
import os
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

from gan_lightning.cli.arguments import key_of, quoted
from gan_lightning.cli.folders import resolved_path
from gan_lightning.cli.sweep import Jobs, require_metric
from gan_lightning.config.checks import wrong_arguments
from gan_lightning.config.schema import AUTO
from gan_lightning.errors import UserError
from gan_lightning.ranges import Count, Positive, Whole
from gan_lightning.runs.record import completed
from gan_lightning.system.job import POLL, Job, Outcome
from gan_lightning.system.launched import launched

ROOT = Path(__file__).resolve().parents[2]
OF_SWEEP = ("hydra.mode", "hydra.run.dir", "hydra.sweep", "hydra.launcher", "hydra/launcher")
log = logging.getLogger(__name__)


class SweepLauncher(Launcher):
    """Runs each job of a sweep as a command of its own."""

    library: ClassVar[str]  # the extra has the same name
    at_once = sys.maxsize  # jobs handed to the library at a time, if it does not queue them itself

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
            made = [self._job(initial_job_idx + k, [*o]) for k, o in enumerate(job_overrides)]
            require_metric(made[0][1], made[0][1].hydra)
            self.task.status = 1
            outcomes = {job.number: self._done(job, config) for job, config in made}
            missing = [job for job, _ in made if outcomes[job.number] is None]
            many = f"{len(missing)} of {len(made)} jobs"
            log.info(f"{many} to run ({self.choice}), logs in {self.sweep}/*.log")
            outcomes |= self._watch(missing)
        except UserError as error:
            print(error, file=sys.stderr)
            self.task.remove_sweep()
            sys.exit(2)
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

    def _job(self, number: int, overrides: list[str]) -> tuple[Job, DictConfig]:
        """Return a job, with resume=auto unless there is a run that nobody asked to go on with."""
        config = self.context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        folder = self.sweep / (resolved_path(config, "hydra.sweep.subdir") or str(number))
        own = list(config.hydra.overrides.task)
        asked = [o for o in config.hydra.overrides.hydra if not o.startswith(OF_SWEEP)]
        given = {key_of(override) for override in own}
        if "resume" in config and "resume" not in given and not (folder / "config.yaml").exists():
            asked.append(f"resume={AUTO}")
        script = Path(self.task.task.__code__.co_filename).resolve()
        command = [sys.executable, str(script), *self.task.line.places, *own, *asked]
        variables = {name: os.environ[name] for name in os.environ if name.startswith("GAN_")}
        job = Job(
            number,
            own,
            folder,
            [*command, f"hydra.run.dir={quoted(str(folder))}"],
            self.stop,
            environment={**variables, "OMP_NUM_THREADS": str(self.cores)},
            minutes=self.minutes,
            requeue=self.requeue,
        )
        return job, config

    def _done(self, job: Job, config: DictConfig) -> Outcome | None:
        """Return the outcome of a job that is complete, if the sweep goes on where it stopped."""
        own = [item for item in job.overrides if key_of(item) not in ("resume", "run_dir")]
        if config.get("resume") != AUTO or not completed(job.folder, own):
            return None
        log.info(f"job {job.number} ({job.folder.name}): complete already")
        if not config.optimized_metric:
            return Outcome(0)
        from gan_lightning.runs.train import optimized  # takes seconds

        return Outcome(
            0, value=optimized({"optimized_metric": config.optimized_metric}, job.folder)
        )

    def _watch(self, jobs: Sequence[Job]) -> dict[int, Outcome]:
        """Run jobs to their end; when this process is told to end, they are."""
        waiting, running, ended = [*jobs], {}, {}
        try:
            while waiting or running:
                batch = waiting[: self.at_once - len(running)]
                if batch:
                    running |= zip([job.number for job in batch], self._started(batch), strict=True)
                    waiting = waiting[len(batch) :]
                for number in [number for number in running if running[number].done()]:
                    ended[number] = _result(running.pop(number))
                    self._say(number, ended[number])
                time.sleep(POLL)
        except BaseException:
            self._end([*running.values()])
            log.info(
                f"the sweep goes on by hydra.sweep.dir={self.config.hydra.sweep.dir} resume=auto"
            )
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

    def _say(self, number: int, outcome: Outcome) -> None:
        if outcome.status == 0:
            log.info(f"job {number}: complete")
        else:
            print(f"job {number}: {outcome.reason}", file=sys.stderr)

    def _returned(self, job: Job, config: DictConfig, outcome: Outcome) -> JobReturn:
        """Return what the sweeper gets to know; a failure is for the sweep's table."""
        if outcome.status:
            row = (job.number, " ".join(job.overrides), outcome.status, outcome.reason)
            self.task.failed.append(row)
        value = math.nan if outcome.status else outcome.value
        returned = JobReturn(overrides=job.overrides, cfg=config, task_name=config.hydra.job.name)
        returned.status = JobStatus.COMPLETED
        returned.return_value = value
        return returned


def _result(handle: Any) -> Outcome:
    """Return the outcome of a job; that of one whose library lost it is the library's word."""
    try:
        return handle.result()
    except Exception as error:  # each library has its own
        return Outcome(1, " ".join(str(error).split())[:300] or type(error).__name__)
