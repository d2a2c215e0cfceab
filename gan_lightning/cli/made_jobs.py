"""A job of a sweep as the command that a user would type for it alone, and what it returned."""

import os
import sys
from pathlib import Path

from omegaconf import DictConfig

from gan_lightning.cli.arguments import key_of, quoted
from gan_lightning.cli.folders import resolved_path
from gan_lightning.cli.sweep import Jobs
from gan_lightning.config.schema import AUTO
from gan_lightning.runs.record import completed
from gan_lightning.system.job import Job, Outcome

OF_SWEEP = ("hydra.mode", "hydra.run.dir", "hydra.sweep", "hydra.launcher", "hydra/launcher")


def make_job(config: DictConfig, task: Jobs, sweep: Path, stop: Path) -> Job:
    """Return the job of a composed config.

    It gets resume=auto, with which it can be started again, unless its folder holds a run that
    nobody asked to go on with.
    """
    number = config.hydra.job.num
    folder = sweep / (resolved_path(config, "hydra.sweep.subdir") or str(number))
    own = list(config.hydra.overrides.task)
    more = [item for item in config.hydra.overrides.hydra if not item.startswith(OF_SWEEP)]
    asked = "resume" in {key_of(override) for override in own}
    if "resume" in config and not asked and not (folder / "config.yaml").exists():
        more.append(f"resume={AUTO}")
    more.append(f"hydra.run.dir={quoted(str(folder))}")
    script = Path(task.task.__code__.co_filename).resolve()
    return Job(
        number,
        own,
        folder,
        [sys.executable, str(script), *task.line.places, *own, *more],
        stop,
        {name: value for name, value in os.environ.items() if name.startswith("GAN_")},
    )


def outcome_of_complete(job: Job, config: DictConfig) -> Outcome | None:
    """Return the outcome of a job that is complete, if the sweep goes on where it stopped."""
    own = [item for item in job.overrides if key_of(item) not in ("resume", "run_dir")]
    if config.get("resume") != AUTO or not completed(job.folder, own):
        return None
    if not config.optimized_metric:
        return Outcome(0)
    from gan_lightning.runs.train import optimized  # takes seconds

    asked = {"optimized_metric": config.optimized_metric}
    return Outcome(0, value=optimized(asked, job.folder))
