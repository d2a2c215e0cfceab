"""The metadata of a generator file, and which values are allowed."""

import dataclasses
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator, network_path
from gan_lightning.tables import MOST_COORDINATES, Schema, read_schema

FORMAT_VERSION = 1
MAX_SIDE, MAX_CHANNELS, MAX_CLASSES = 256, 16, 100_000
_MAX_TEXT, _MAX_VALUES = 200, 1000


@dataclass(frozen=True)
class GeneratorMetadata:
    """What a generator file says of itself, beside the tensors.

    `class_name` is a name within `gan_lightning.networks`, or the dotted path of a user's own
    class, which the reader must name too: `trust=mypkg.MyGenerator`.
    """

    class_name: str
    arguments: dict[str, Any]
    latent_dim: int
    image_shape: list[int]
    num_classes: int
    classes: list[int]
    dataset: str
    images_seen: int
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    class_counts: list[int] = dataclasses.field(default_factory=list)  # P(Y); empty: not known
    table: dict[str, Any] = dataclasses.field(default_factory=dict)  # `Schema.plain`; {}: images

    @property
    def schema(self) -> Schema | None:
        """The columns of the table that it draws rows of, if any."""
        return read_schema(self.table) if self.table else None

    @property
    def labels(self) -> list[int]:
        """The labels that may be asked for: none if unconditional."""
        return self.classes if self.num_classes else []

    @property
    def standing(self) -> str:
        """How good it was when it was written, and how long it had been trained, in words."""
        fid, seen = self.scores.get("score/fid"), f"{self.images_seen:,} images seen"
        return seen if fid is None else f"FID {fid:.3g}, {seen}"


def is_text(value: Any) -> bool:
    """Whether this is a short text, perhaps empty, without line breaks and escape codes."""
    return isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()


def _is_count(value: Any, low: int = 0, high: int = 1 << 62) -> bool:
    return type(value) is int and low <= value <= high


def is_plain(value: Any, budget: int = _MAX_VALUES) -> bool:
    """Whether this is a number, text, None, or a list of these; at most `budget` values in all."""
    waiting, seen = [value], 0
    while waiting and seen <= budget:
        item, seen = waiting.pop(), seen + 1
        if isinstance(item, list):
            waiting += item[: budget + 1]
        elif isinstance(item, float):
            if not math.isfinite(item):
                return False
        elif not (item is None or type(item) in (int, bool) or is_text(item)):
            return False
    return not waiting and seen <= budget


def checked(metadata: GeneratorMetadata) -> GeneratorMetadata:
    """Return the metadata; raise a ValueError that names the fields with invalid values, if any."""
    m = metadata
    shape, classes, counts = m.image_shape, m.classes, m.class_counts
    fine = {
        "class_name": is_text(m.class_name),
        "arguments": isinstance(m.arguments, dict)
        and all(is_text(key) and key.isidentifier() for key in m.arguments)
        and is_plain(list(m.arguments.values())),
        "latent_dim": _is_count(m.latent_dim, 1),
        "image_shape": isinstance(shape, list)
        and len(shape) == 3
        and _is_count(shape[0], 1, MOST_COORDINATES if m.table else MAX_CHANNELS)
        and all(_is_count(side, 1, MAX_SIDE) for side in shape[1:]),
        "num_classes": _is_count(m.num_classes, 0, MAX_CLASSES),
        "classes": isinstance(classes, list)
        and len(classes) <= MAX_CLASSES
        and all(_is_count(label, 0, MAX_CLASSES) for label in classes)
        and len(set(classes)) == len(classes),
        # A name, never a path; it goes into tables, file names are made of nothing in here.
        "dataset": is_text(m.dataset) and not set("/\\") & set(m.dataset),
        "images_seen": _is_count(m.images_seen),
        "scores": isinstance(m.scores, dict)
        and all(is_text(name) for name in m.scores)
        and all(type(score) in (int, float) for score in m.scores.values())
        and is_plain(list(m.scores.values())),
        "class_counts": isinstance(counts, list)
        and all(_is_count(count, 0, 1 << 40) for count in counts)
        and (not counts or (len(counts) == len(classes) and sum(counts) > 0)),
        "table": isinstance(m.table, dict) and (not m.table or _is_table(m)),
        "format_version": _is_count(m.format_version, 1, FORMAT_VERSION),
    }
    wrong = [name for name, good in fine.items() if not good]
    if not wrong and m.num_classes and not (classes and max(classes) < m.num_classes):
        wrong = ["classes"]
    if wrong:
        raise ValueError(f"it says something impossible of {', '.join(wrong)}")
    return metadata


def _is_table(metadata: GeneratorMetadata) -> bool:
    """Whether the columns are those of a table with such points and labels."""
    try:
        schema = metadata.schema
    except ValueError:
        return False
    if schema is None or metadata.num_classes > len(schema.classes):
        return False
    return metadata.image_shape == [schema.size, 1, 1]


def asked_labels(
    metadata: GeneratorMetadata, label: int | None = None, labels: str | None = None
) -> tuple[list[int], list[int]]:
    """Return (the labels to draw, how often each occurs if they are to be drawn from P(Y)).

    `label` alone; or all of them, by `turn`, or `joint`: as often as the training images have them.
    None is `turn`, of a table's rows `joint`.

    Raises:
        UserError: the generator does not know the label, or not how often labels occur.
    """
    known = ", ".join(map(str, metadata.labels)) or "none: it is unconditional"
    if label is not None:
        if label not in metadata.labels:
            raise UserError(f"label={label}: this generator's labels are {known}")
        if labels not in (None, "turn"):
            raise UserError(f"label={label} and labels={labels}: give one of them")
        return [label], []
    if labels is None and metadata.table:
        return metadata.labels, metadata.class_counts
    if labels != "joint":
        return metadata.labels, []
    if not metadata.labels:
        raise UserError(f"labels=joint: this generator's labels are {known}")
    if not metadata.class_counts:
        raise UserError("labels=joint: its file does not say how often each label occurs")
    return metadata.labels, metadata.class_counts


def describe(
    config: dict[str, Any],
    generator: Generator,
    images_seen: int,
    scores: dict[str, float],
    class_counts: Sequence[int] = (),
    table: Mapping[str, Any] | None = None,
) -> GeneratorMetadata:
    """Return the metadata of the generator of a run with this plain, resolved config.

    Scores that are NaN or infinite are left out: JSON has neither. `class_counts` are of the
    training images, by sorted label; empty if not known. `table`: of a table, `Schema.plain`.

    Raises:
        ValueError: names a value that a generator file cannot hold.
    """
    name, given = split_target(config["model"]["generator"])
    bound = inspect.signature(type(generator)).bind(**given)
    bound.apply_defaults()  # they may change later
    data = config["data"]
    labels = data["classes"] or range(min(data["num_classes"], MAX_CLASSES))
    if not is_plain(list(labels), MAX_CLASSES):
        raise ValueError("its classes are no labels")
    metadata = GeneratorMetadata(
        class_name=name,
        arguments={k: list(v) if isinstance(v, tuple) else v for k, v in bound.arguments.items()},
        latent_dim=generator.latent_dim,
        image_shape=list(generator.image_shape),
        num_classes=generator.num_classes,
        classes=sorted(labels),
        dataset=data["name"],
        images_seen=images_seen,
        scores={name: score for name, score in scores.items() if math.isfinite(score)},
        class_counts=list(class_counts),
        table=dict(table or {}),
    )
    return checked(metadata)


def split_target(
    node: dict[str, Any], kind: type[nn.Module] = Generator
) -> tuple[str, dict[str, Any]]:
    """Return (the class name in a file, the arguments) of a config's node."""
    arguments = {k: v for k, v in node.items() if k not in ("_target_", "_convert_")}
    return network_path(node["_target_"], kind), arguments
