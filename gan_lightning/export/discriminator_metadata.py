"""The metadata of a discriminator's file, and which values are allowed."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from gan_lightning.export.metadata import (
    FORMAT_VERSION,
    MAX_CHANNELS,
    MAX_CLASSES,
    MAX_SIDE,
    is_plain,
    is_text,
    split_target,
)
from gan_lightning.networks.base import Discriminator

LARGEST = 1e6  # a scale or an offset of logits
KIND = "discriminator"  # a generator's file has no such field


@dataclass(frozen=True)
class Calibration:
    """P(fake | features) = 1 - sigmoid(scale * logit + offset).

    Args:
        fakes_of: the generator that drew the fakes, by its file's hash, and the data of the reals.
    """

    scale: float
    offset: float
    fakes_of: str


@dataclass(frozen=True)
class DiscriminatorMetadata:
    """What a discriminator's file says of itself, beside the tensors."""

    class_name: str
    arguments: dict[str, Any]
    image_shape: list[int]
    num_classes: int
    classes: list[int]  # the labels it may be asked about, or the clusters in their place
    dataset: str
    images_seen: int
    trained_on: int = 0  # images it saw after G was frozen
    calibration: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = KIND
    format_version: int = FORMAT_VERSION


def describe_discriminator(
    config: dict[str, Any], discriminator: Discriminator, clusters: int, images_seen: int
) -> DiscriminatorMetadata:
    """Return the metadata of a run's D; ValueError if its arguments are no plain values."""
    name, arguments = split_target(config["model"]["discriminator"], Discriminator)
    data = config["data"]
    labels = range(clusters) if clusters else data["classes"] or range(data["num_classes"])
    return checked(
        DiscriminatorMetadata(
            class_name=name,
            arguments=arguments,
            image_shape=list(discriminator.image_shape),
            num_classes=discriminator.num_classes,
            classes=sorted(labels) if discriminator.num_classes else [],
            dataset=data["name"],
            images_seen=images_seen,
        )
    )


def checked(metadata: DiscriminatorMetadata) -> DiscriminatorMetadata:
    """Return the metadata; raise a ValueError that names the fields with invalid values, if any."""
    m = metadata

    def count(value: Any, low: int = 0, high: int = 1 << 62) -> bool:
        return type(value) is int and low <= value <= high

    shape, labels = m.image_shape, m.classes
    fine = {
        "kind": m.kind == KIND,
        "class_name": is_text(m.class_name),
        "arguments": isinstance(m.arguments, dict)
        and all(is_text(key) and key.isidentifier() for key in m.arguments)
        and is_plain(list(m.arguments.values())),
        "image_shape": isinstance(shape, list)
        and len(shape) == 3
        and count(shape[0], 1, MAX_CHANNELS)
        and all(count(side, 1, MAX_SIDE) for side in shape[1:]),
        "num_classes": count(m.num_classes, 0, MAX_CLASSES),
        "classes": isinstance(labels, list)
        and len(labels) == len(set(map(str, labels))) <= MAX_CLASSES
        and all(count(label, 0, m.num_classes - 1) for label in labels)
        and bool(labels) == bool(m.num_classes),
        "dataset": is_text(m.dataset) and not set("/\\") & set(m.dataset),
        "images_seen": count(m.images_seen),
        "trained_on": count(m.trained_on),
        "calibration": m.calibration == {} or _is_calibration(m.calibration),
        "format_version": count(m.format_version, 1, FORMAT_VERSION),
    }
    if wrong := [name for name, good in fine.items() if not good]:
        raise ValueError(f"it says something impossible of {', '.join(wrong)}")
    return metadata


def _is_calibration(found: Any) -> bool:
    names = {field.name for field in dataclasses.fields(Calibration)}
    if not isinstance(found, dict) or set(found) != names or not is_text(found["fakes_of"]):
        return False
    numbers = [found["scale"], found["offset"]]
    return all(type(v) in (int, float) and abs(v) <= LARGEST for v in numbers)
