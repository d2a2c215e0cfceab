"""What a run says of itself: at its start, at its end, and of its settings to the loggers."""

from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from rich.console import Console
from torch import nn

from gan_lightning.config import Settings
from gan_lightning.config.checks import leaves
from gan_lightning.data import DataModule
from gan_lightning.export.generator_file import BEST_FILE, GENERATOR_FILE, read_metadata
from gan_lightning.loggers.tool import tools_of
from gan_lightning.networks import DCGANGenerator, Discriminator, Generator, VAEEncoder
from gan_lightning.networks.base import parameter_count
from gan_lightning.report.folder import REPORT_FILE
from gan_lightning.system.files import relative
from gan_lightning.system.portable import native_bf16
from gan_lightning.training.base import GenerativeModule

announce = rank_zero_only(Console(highlight=False, soft_wrap=True).print)


def parameters(network: nn.Module) -> str:
    """Return the class name and the parameter count of a network."""
    return f"{type(network).__name__}, {parameter_count(network):,} parameters"


def summary(
    settings: Settings, data: DataModule, module: GenerativeModule, trainer: Trainer
) -> str:
    """Return what the run will do, a line a topic."""
    world, shape = trainer.world_size, "x".join(map(str, module.generator.image_shape))
    accelerator = type(trainer.accelerator).__name__.removesuffix("Accelerator")
    batch = f"{data.batch_size} images"
    if world > 1:
        batch += f" x {world} devices = {data.batch_size * world} images"
    if module.accumulate > 1:
        batch += f", {module.accumulate} of these an update"
    if module.updates():
        batch += f"; {module.updates()}"
    length = f"{trainer.max_epochs} epoch{'s' * (trainer.max_epochs != 1)}"
    if "trainer.max_epochs" in module.fixed:
        length = "one pass over the images"
    rows = {
        "data": f"{data.name}: {len(data.images):,} images {shape}, from {data.source}",
        "device": f"{accelerator} x {world}, strategy {type(trainer.strategy).__name__}, "
        f"precision {trainer.precision}{_faster(module, trainer)}",
        "batch": batch,
        **{
            name: parameters(network)
            for name, network in module.named_children()
            if isinstance(network, Generator | Discriminator | VAEEncoder)
        },
        "training": length
        + (f" or {settings['trainer']['max_time']}" if settings["trainer"]["max_time"] else "")
        + f", seed {settings['seed']}",
        "run folder": relative(settings["run_dir"]),
    }
    if module.generator.num_classes:
        rows["generator"] += f", conditional on {module.generator.num_classes} labels"
    return "\n".join(f"[bold]{name:<15}[/bold]{value}" for name, value in rows.items())


def _faster(module: GenerativeModule, trainer: Trainer) -> str:
    """Return a hint to what this CPU computes faster in, where that was measured."""
    measured = isinstance(module.generator, DCGANGenerator)
    cpu = module.device.type == "cpu" and trainer.precision == "32-true"
    return " (bf16-mixed is faster here)" if measured and cpu and native_bf16() else ""


def closing_words(run_dir: Path) -> str:
    """Return where the results are, and the next commands."""
    pictures = sorted((run_dir / "samples").glob("*.png"))
    file, best = run_dir / GENERATOR_FILE, run_dir / BEST_FILE
    lines = []
    if file.exists():
        latest = read_metadata(file)
        lines += [f"generator  {relative(file)} ({latest.standing})"]
        if best.exists() and read_metadata(best).images_seen != latest.images_seen:
            lines += [
                f"best       {relative(best)} ({read_metadata(best).standing}), the one to sample"
            ]
    lines += [f"picture    {relative(pictures[-1])}"] if pictures else []
    report = run_dir / REPORT_FILE
    lines += [f"report     {relative(report)}"] if report.exists() else []
    steps = [f"python sample.py generator={relative(run_dir)}"] if file.exists() else []
    # All runs side by side, or this one alone if it lies elsewhere.
    outputs = Path("outputs")
    logs = outputs if run_dir.resolve().is_relative_to(outputs.resolve()) else run_dir
    if any(run_dir.glob("events.out.tfevents.*")):
        steps += [f"tensorboard --logdir {relative(logs)}"]
    steps += [str(tool["show"]) for tool in tools_of(run_dir).values()]
    lines += [f"{'' if i else 'next':<11}{step}" for i, step in enumerate(steps)]
    return "\n".join(lines)


def shown_settings(settings: Settings) -> Settings:
    """Return the settings that runs differ in, flat: for TensorBoard's HParams tab and the like."""
    groups = ("model", "loss", "penalty", "constraint", "augment", "optimizer", "ema")
    flat: dict[str, Any] = {key: settings[key] for key in ("seed", "d_steps") if key in settings}
    flat |= {"data": settings["data"]["name"], "batch_size": settings["data"]["batch_size"]}
    for key, value in leaves({group: settings.get(group) or {} for group in groups}):
        if not key.endswith("._partial_"):
            shown = value.rpartition(".")[2] if key.endswith("._target_") else value
            flat[key] = str(shown) if isinstance(shown, list) else shown
    return flat
