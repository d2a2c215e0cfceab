"""From a run's config and network to the metadata of its generator file."""

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch

from gan_lightning.data import ImageDataModule
from gan_lightning.metadata import MAX_CLASSES, GeneratorMetadata, checked, is_plain
from gan_lightning.networks.base import Generator, generator_path


def constructor_arguments(cls: type[Generator], given: dict[str, Any]) -> dict[str, Any]:
    """Return all plain constructor arguments, defaults included: a default may change later."""
    bound = inspect.signature(cls).bind(**given)
    bound.apply_defaults()
    return {k: list(v) if isinstance(v, tuple) else v for k, v in bound.arguments.items()}


def describe(
    config: dict[str, Any],
    generator: Generator,
    images_seen: int,
    scores: dict[str, float],
    class_counts: Sequence[int] = (),
) -> GeneratorMetadata:
    """Return the metadata of a run's generator.

    Args:
        config: the run's plain, resolved config.
        generator: the network, with or without weights.
        images_seen: by the run so far.
        scores: the latest; those that are NaN or infinite are left out, JSON has neither.
        class_counts: of the training images, by sorted label; empty if not known.

    Raises:
        ValueError: a value that a generator file cannot hold; names it.
    """
    name, arguments = split_target(config["model"]["generator"])
    data = config["data"]
    labels = data["classes"] or range(min(data["num_classes"], MAX_CLASSES))
    if not is_plain(list(labels), MAX_CLASSES):
        raise ValueError("its classes are no labels")
    metadata = GeneratorMetadata(
        class_name=name,
        arguments=constructor_arguments(type(generator), arguments),
        latent_dim=generator.latent_dim,
        image_shape=list(generator.image_shape),
        num_classes=generator.num_classes,
        classes=sorted(labels),
        dataset=data["name"],
        images_seen=images_seen,
        scores={name: score for name, score in scores.items() if math.isfinite(score)},
        class_counts=list(class_counts),
    )
    return checked(metadata)


def split_target(node: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return (the class name in a generator file, the arguments) of a config's node."""
    arguments = {k: v for k, v in node.items() if k not in ("_target_", "_convert_")}
    return generator_path(node["_target_"]), arguments


def class_counts(data: ImageDataModule) -> list[int]:
    """Return how many training images there are of each label, by label: P(Y) times a constant."""
    if not data.classes:  # a data set without labels
        return []
    counts = torch.bincount(data.images.labels, minlength=max(data.classes) + 1)
    return counts[data.classes].tolist()
