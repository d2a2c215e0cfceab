"""One training run, from a config to a generator file; knows nothing of command lines."""

from pathlib import Path
from typing import Any

import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from torch import nn

from gan_lightning.build import build_data, build_module, build_trainer, exportable
from gan_lightning.callbacks.quiet import quiet
from gan_lightning.checkpoint import GENERATOR_FILE
from gan_lightning.checkpoint_io import read_checkpoint
from gan_lightning.config import plain
from gan_lightning.data import ImageDataModule
from gan_lightning.errors import UserError
from gan_lightning.loggers import MetricsCSV, TensorBoard
from gan_lightning.module import GANModule

console = Console(highlight=False, soft_wrap=True)


def train(config: DictConfig) -> float | None:
    """Train as the config says; return `optimized_metric` at the end, for searches.

    Raises:
        UserError: the config, the data or the devices do not allow it.
    """
    settings = plain(config)
    run_dir = Path(settings["run_dir"])
    if (run_dir / "config.yaml").exists() and not settings["resume"]:
        raise UserError(f"run_dir={run_dir} holds a run: go on with it by resume={run_dir}")
    data, warning = build_data(settings)
    check_batch(settings, data)
    seed_everything(settings["seed"], workers=True, verbose=False)
    module = build_module(settings)
    quiet()
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it
    trainer = build_trainer(settings)
    if not exportable(settings["model"]["generator"]):
        warning += f" no {GENERATOR_FILE}: it holds a `Generator` class with plain arguments alone."
    if warning:
        announce(f"[bold yellow]WARNING: {warning.strip()}")
    announce(summary(settings, data, module, trainer))
    last = resume_from(run_dir, module, trainer) if settings["resume"] else None
    if trainer.is_global_zero:
        run_dir.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(OmegaConf.create(settings), run_dir / "config.yaml")
    announce_settings(trainer, settings)
    before = module.images_seen
    trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    if module.images_seen == before:
        announce("[bold yellow]Nothing was left to do: raise trainer.max_epochs or max_time.")
    announce(closing_words(run_dir))
    return optimized(settings, run_dir)


def resume_from(run_dir: Path, module: GANModule, trainer: Trainer) -> Path:
    """Return the checkpoint to go on from, after trying it: nothing is written if it does not fit.

    Raises:
        UserError: it was made with other networks or another kind of penalty.
    """
    last = run_dir / "checkpoints" / "last.ckpt"
    try:
        module.load_state_dict(read_checkpoint(last)["state_dict"])
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise UserError(
            f"resume={run_dir}: the settings do not fit its weights: {reason}"
        ) from error
    for logger in trainer.loggers:
        if isinstance(logger, MetricsCSV | TensorBoard):
            logger.resume(module.images_seen)
    return last


def check_batch(settings: dict[str, Any], data: ImageDataModule) -> None:
    """Refuse a global batch larger than an epoch: such a run would train on nothing."""
    images = len(data.images) * data.repeat
    devices = settings["trainer"]["devices"]
    world = (devices if isinstance(devices, int) and devices > 0 else 1) * data.loader_batch_size
    if world > images:
        raise UserError(
            f"data.batch_size={data.batch_size} makes a step of {world} images, but {data.name} "
            f"has {images} an epoch: choose a smaller one"
        )


def parameters(network: nn.Module) -> str:
    """Return the class name and the parameter count of a network."""
    count = sum(p.numel() for p in network.parameters())
    return f"{type(network).__name__}, {count:,} parameters"


def summary(
    settings: dict[str, Any], data: ImageDataModule, module: GANModule, trainer: Trainer
) -> str:
    """Return what the run will do, a line a topic."""
    world, shape = trainer.world_size, "x".join(map(str, module.generator.image_shape))
    accelerator = type(trainer.accelerator).__name__.removesuffix("Accelerator")
    batch = f"{data.batch_size} images"
    if world > 1:
        batch += f" x {world} devices = {data.batch_size * world} images"
    conditional = module.generator.num_classes
    rows = {
        "data": f"{data.name}: {len(data.images):,} images {shape}, from {data.source}",
        "device": f"{accelerator} x {world}, strategy {type(trainer.strategy).__name__}, "
        f"precision {trainer.precision}",
        "batch": batch,
        "generator": parameters(module.generator)
        + (f", conditional on {conditional} labels" if conditional else ""),
        "discriminator": parameters(module.discriminator),
        "training": f"{trainer.max_epochs} epochs"
        + (f" or {settings['trainer']['max_time']}" if settings["trainer"]["max_time"] else "")
        + f", seed {settings['seed']}",
        "run folder": relative(settings["run_dir"]),
    }
    return "\n".join(f"[bold]{name:<15}[/bold]{value}" for name, value in rows.items())


def relative(path: str | Path) -> str:
    """Return a path as short as it can be typed from here."""
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@rank_zero_only
def announce(message: Any) -> None:
    """Print on the first process alone."""
    console.print(message)


def closing_words(run_dir: Path) -> str:
    """Return where the results are, and the two next commands."""
    pictures = sorted((run_dir / "samples").glob("*.png"))
    file = run_dir / GENERATOR_FILE
    lines = [f"generator  {relative(file)}"] if file.exists() else []
    lines += [f"picture    {relative(pictures[-1])}"] if pictures else []
    lines += [
        f"next       python sample.py generator={relative(run_dir)}",
        "           tensorboard --logdir outputs",
    ]
    return "\n".join(lines)


def announce_settings(trainer: Trainer, settings: dict[str, Any]) -> None:
    """Fill TensorBoard's HParams tab with the settings that runs differ in."""
    groups = ("model", "loss", "penalty", "constraint", "augment", "optimizer", "ema")
    flat: dict[str, Any] = {"seed": settings["seed"], "d_steps": settings["d_steps"]}
    flat |= {"data": settings["data"]["name"], "batch_size": settings["data"]["batch_size"]}
    for group in groups:
        flat |= {f"{group}.{k}": v for k, v in flatten(settings[group]).items()}
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoard):
            logger.log_hyperparams(flat)


def flatten(node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested containers by dotted key, as TensorBoard can show them."""
    leaves: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            leaves |= flatten(value, f"{prefix}{key}.")
        elif key != "_partial_":
            shown = value.rpartition(".")[2] if key == "_target_" else value
            leaves[f"{prefix}{key}"] = str(shown) if isinstance(shown, list) else shown
    return leaves


def optimized(settings: dict[str, Any], run_dir: Path) -> float | None:
    """Return the last value of `optimized_metric` in metrics.csv, if there is one."""
    metric, file = settings["optimized_metric"], run_dir / "metrics.csv"
    if not metric or not file.is_file():
        return None
    values = MetricsCSV(str(run_dir)).column(metric)
    return values[-1] if values else None
