"""Generators of every class, small and with weights that do something, and folders of them."""

import inspect
from pathlib import Path
from typing import Any

import torch

from gan_lightning.export.generator_file import save_generator
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.networks import Density, Generator, find_network
from tests.tiny import QUICK, fitted

SHAPE = [1, 8, 8]
SMALL = {"width": 4, "hidden": [8, 16], "latent_dim": 16} | QUICK
# What changes the path from z to the image, beside labels.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("DCGANGenerator", {"clusters": 5}),
    ("DCGANGenerator", {"codes": [4, 2]}),
    ("MLPGenerator", {"codes": [4, 2]}),
    ("InfoGANGenerator", {"codes": [0, 3]}),
    ("SNGANGenerator", {"num_classes": 3, "attention": True, "spectral_norm": True}),
    ("VAEDecoder", {"num_classes": 3, "noise": True}),
    ("VAEDecoder", {"image_shape": [5, 1, 1], "num_classes": 3}),
    ("ToyGenerator", {"image_shape": [2, 1, 1], "point": True}),
    ("TableGenerator", {"image_shape": [9, 1, 1], "num_classes": 3, "categories": [3, 2]}),
    ("DCGANGenerator", {"image_shape": [3, 28, 28], "num_classes": 3}),
]


def lively(name: str, **arguments: Any) -> tuple[Generator, dict[str, Any]]:
    """Return (a generator in eval mode, its arguments): fitted, or with random weights.

    What starts at zero does not stay so, and BatchNorm has seen batches: else images would hardly
    depend on some of the weights.
    """
    cls = find_network(name, Generator)
    taken = inspect.signature(cls).parameters
    given = {k: v for k, v in SMALL.items() if k in taken} | {"image_shape": SHAPE} | arguments
    torch.manual_seed(0)
    generator = cls(**given)
    if isinstance(generator, Density):
        return fitted(generator).eval(), given
    with torch.no_grad():
        for weight in generator.parameters():
            if not weight.any():
                weight.normal_(0, 0.3)
        for _ in range(20):
            z = torch.randn(64, generator.latent_dim)
            y = torch.arange(64) % generator.num_classes if generator.num_classes else None
            generator(z, y)
    return generator.eval().requires_grad_(False), given


def generator_file(
    folder: Path, name: str, classes: list[int] | None = None, **arguments: Any
) -> Path:
    """Write a lively generator's file into a folder, and return its path."""
    generator, given = lively(name, **arguments)
    path = folder / "generator.safetensors"
    folder.mkdir(exist_ok=True, parents=True)
    save_generator(path, generator, about(name, generator, given, classes))
    return path


def about(
    name: str, generator: Generator, given: dict[str, Any], classes: list[int] | None = None
) -> GeneratorMetadata:
    classes = classes or list(range(generator.num_classes))
    shape = list(generator.image_shape)
    fields = (generator.latent_dim, shape, generator.num_classes, classes, "digits", 1000)
    return GeneratorMetadata(name, given, *fields)
