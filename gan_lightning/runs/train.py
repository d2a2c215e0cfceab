"""One training run, from a config to a generator file; knows nothing of command lines."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from lightning import Trainer
from omegaconf import DictConfig, OmegaConf
from rich.markup import escape

from gan_lightning.callbacks.export import GeneratorExport
from gan_lightning.callbacks.report import RunReport
from gan_lightning.config import Settings
from gan_lightning.config.build import build_data, run_images, schedule_over
from gan_lightning.config.loggers import build_loggers
from gan_lightning.errors import RunError, UserError
from gan_lightning.loggers import MetricsCSV
from gan_lightning.runs.console import announce, closing_words, shown_settings, summary
from gan_lightning.runs.failures import explain, last_good
from gan_lightning.runs.preflight import Built, check_batch, doubts, preflight
from gan_lightning.runs.record import RunRecord, Start
from gan_lightning.runs.resume import complete, find_checkpoint, fit_weights
from gan_lightning.system.checkpoint_file import RunCheckpoint
from gan_lightning.system.files import atomic_write, relative
from gan_lightning.system.folder_lock import run_folder
from gan_lightning.system.signals import SIGNALS, watched
from gan_lightning.training.base import GenerativeModule


def train(config: DictConfig, start: Start) -> float | None:
    """Train as the config says; return `optimized_metric` at the end, for searches.

    Raises:
        UserError: the config, the data or the devices do not allow it.
        RunError: the run started and could not go on.
        SystemExit: a signal ended it; its status.
    """
    built = preflight(config, start.own)
    settings = built.settings
    run_dir = Path(settings["run_dir"])
    first = built.trainer.is_global_zero
    if first and (run_dir / "config.yaml").exists() and not settings["resume"]:
        last = run_dir / "checkpoints" / "last.ckpt"
        way = f"resume={run_dir}" if last.exists() else f"resume=auto hydra.run.dir={run_dir}"
        raise UserError(f"run_dir={run_dir} holds a run: go on with it by {way}")
    with watched(), run_folder(run_dir) if first else nullcontext():
        checkpoint, warning = find_checkpoint(run_dir, settings["resume"])
        done = complete(checkpoint, settings) if checkpoint else ""
        if done:
            announce(f"[bold]{run_dir.name} is {done}")
        else:
            train_in(run_dir, built, checkpoint, warning, start)
        announce(closing_words(run_dir))
    return optimized(settings, run_dir)


def train_in(
    run_dir: Path, built: Built, checkpoint: RunCheckpoint | None, warning: str, start: Start
) -> None:
    """Fetch the data, and train in a folder that is this run's own."""
    module, trainer = built.module, built.trainer
    data, missing, settings = build_data(built.settings, built.data)
    check_batch(data, trainer.world_size)
    schedule_over(module, run_images(settings, data, trainer.world_size))
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # a connector sets it
        if isinstance(callback, GeneratorExport):
            callback.config = settings  # with the data that was found
    for words in [warning, missing, *doubts(built)]:
        if words:
            announce(f"[bold yellow]WARNING: {words}")
    announce(summary(settings, data, module, trainer))
    if checkpoint:
        fit_weights(run_dir, checkpoint, module, settings)
    before = module.images_seen
    with recorded(run_dir, settings, module, trainer, start):
        trainer.loggers = build_loggers(settings, before, shown_settings(settings))
        last = run_dir / "checkpoints" / "last.ckpt" if checkpoint else None
        with SIGNALS.waiting(trainer.strategy.launcher is not None):  # it has ranks of its own
            trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    if module.images_seen == before:
        announce("[bold yellow]Nothing was left to do: raise trainer.max_epochs or max_time.")


@contextmanager
def recorded(
    run_dir: Path, settings: Settings, module: GenerativeModule, trainer: Trainer, start: Start
) -> Iterator[None]:
    """Keep `config.yaml` and `run.json`, and give a failure its sentence."""
    if not trainer.is_global_zero:  # one that torchrun started
        try:
            yield
        except BaseException as error:
            better = explain(error, settings, SIGNALS.status)
            raise better from (None if better is error else error)
        return
    record = RunRecord(run_dir, start)
    config = OmegaConf.create(settings)
    try:
        record.start(settings)
        atomic_write(run_dir / "config.yaml", lambda file: OmegaConf.save(config, file))
        yield
    except BaseException as error:
        better = explain(error, settings, SIGNALS.status)
        seen, good = last_good(run_dir)
        if isinstance(better, RunError):
            better = RunError(f"{better}{good}")
        status = 2 if isinstance(better, UserError) else 1
        status = int(better.code or 0) if isinstance(better, SystemExit) else status
        reason = "ended by a signal" if isinstance(better, SystemExit) else f"failed: {better}"
        # Spawned ranks do not update this process's module.
        record.end(reason, status, max(module.images_seen, seen))
        if isinstance(better, SystemExit) and seen:
            announce(f"stopped at {seen:,} images seen, saved: resume={escape(relative(run_dir))}")
        if status != 2:  # nothing was trained
            write_report(trainer)
        if better is error:
            raise
        raise better from error
    record.end("complete", 0, module.images_seen)
    write_report(trainer)


def write_report(trainer: Trainer) -> None:
    """Write the page of a run that has ended; what fails there is one line."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # a connector sets it
        if isinstance(callback, RunReport) and (failure := callback.write()):
            announce(f"[bold yellow]WARNING: {escape(failure)}")


def optimized(settings: Settings, run_dir: Path) -> float | None:
    """Return the last value of `optimized_metric` in metrics.csv, if there is one."""
    metric, file = settings["optimized_metric"], run_dir / "metrics.csv"
    if not metric or not file.is_file():
        return None
    values = MetricsCSV(str(run_dir)).column(metric)
    return values[-1] if values else None
