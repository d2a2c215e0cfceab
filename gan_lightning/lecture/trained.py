"""What a run has trained, beyond its generator: the whole module, and its data."""

from pathlib import Path

from gan_lightning.config.build import build_data, build_module
from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.system.checkpoint_file import read_checkpoint, read_verified
from gan_lightning.training.base import GenerativeModule


def checkpoint_of(run: Path) -> Path:
    """Return a run's last checkpoint; UserError if there is none."""
    last = run / "checkpoints" / "last.ckpt"
    if not last.is_file():
        raise UserError(f"{run}: no {last}; name a run folder that has its checkpoint")
    return last


def trained_module(run: Path) -> GenerativeModule:
    """Return the module of a run of one's own, as its last checkpoint has it, in eval mode."""
    last = checkpoint_of(run)
    module = build_module(read_checkpoint(last).config)
    module.load_state_dict(read_verified(last)["state_dict"])
    return module.eval()


def trained_on(run: Path) -> DataModule:
    """Return the data of a run; UserError if they are missing."""
    config = read_checkpoint(checkpoint_of(run)).config
    return build_data({**config, "data": {**config["data"], "on_missing": "error"}})[0]
