"""A small generator and what a mode is told about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.modes.base import Subject
from gan_lightning.networks import DCGANGenerator, Generator

SHAPE = (1, 28, 28)


def untrained(classes: int = 4, **more: Any) -> Generator:
    """Return a generator whose images differ, in eval mode."""
    torch.manual_seed(0)
    generator = DCGANGenerator(8, SHAPE, num_classes=classes, width=4, **more)
    for weight in generator.parameters():
        weight.data *= 15 if weight.dim() > 1 else 1
    return generator.eval().requires_grad_(False)


Make = Callable[..., Subject]


@pytest.fixture
def subject(tmp_path: Path) -> Make:
    """Make a subject of a generator."""

    def make(generator: Generator | None = None, **more: Any) -> Subject:
        generator = generator or untrained()
        classes = list(range(generator.num_classes))
        metadata = GeneratorMetadata(
            class_name=type(generator).__name__,
            arguments={},
            latent_dim=generator.latent_dim,
            image_shape=list(generator.image_shape),
            num_classes=generator.num_classes,
            classes=classes,
            dataset="digits",
            images_seen=0,
        )
        given = {
            "generator": generator,
            "metadata": metadata,
            "file": tmp_path / "generator.safetensors",
            "labels": classes,
            "counts": (),
            "num_samples": 10,
            "seed": 0,
            "image": None,
            "overwrite": False,
            "train_judge": False,
            "truncation": None,
            "trust": None,
            "whole": True,
            "reals": lambda: None,
        }
        return Subject(**(given | more))

    return make
