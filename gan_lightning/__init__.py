"""Train, measure and use small-image GANs."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_lightning.cli.python import train
    from gan_lightning.data import MNISTDataModule
    from gan_lightning.export.generator_file import load_generator
    from gan_lightning.sampling.draw import sample
    from gan_lightning.training import GANModule

__all__ = ["GANModule", "MNISTDataModule", "load_generator", "sample", "train"]
__version__ = "0.1.0"

# Before torch loads OpenMP: threads that wait for others spin for a quarter of a millisecond, then
# sleep. On two cores that is 1.2 times the images/s of no spinning (benchmarks/README.md).
# libgomp's own, 30 times as long, was seen to hang beside other work. Your own values stay.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if os.environ["OMP_WAIT_POLICY"].upper() == "PASSIVE":
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

_HOME = {
    "GANModule": "gan_lightning.training",
    "MNISTDataModule": "gan_lightning.data",
    "load_generator": "gan_lightning.export.generator_file",
    "sample": "gan_lightning.sampling.draw",
    "train": "gan_lightning.cli.python",
}


def __getattr__(name: str) -> Any:
    """Import a name on its first use: torch and Lightning take seconds."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
