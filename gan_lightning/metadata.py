"""What a generator file says of itself, and what it may say."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

FORMAT_VERSION = 1
MAX_SIDE, MAX_CHANNELS, MAX_CLASSES = 256, 16, 100_000
_MAX_TEXT, _MAX_VALUES = 200, 1000


@dataclass(frozen=True)
class GeneratorMetadata:
    """What a generator file says of itself, beside the tensors.

    `class_name` is a name within `gan_lightning.networks`, or the dotted path of somebody's own
    class, which a reader has to name too: `trust=mypkg.MyGenerator`.
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

    @property
    def labels(self) -> list[int]:
        """The labels that may be asked for: none if unconditional."""
        return self.classes if self.num_classes else []


def is_text(value: Any) -> bool:
    """Whether this is a short text, perhaps empty, without line breaks and escape codes."""
    return isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()


def _is_count(value: Any, low: int = 0, high: int = 1 << 62) -> bool:
    return type(value) is int and low <= value <= high


def is_plain(value: Any, budget: int = _MAX_VALUES) -> bool:
    """Whether this is a number, text, None, or a list of such; no more than so many in all."""
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


def wrong_fields(metadata: GeneratorMetadata) -> list[str]:
    """Return the names of the fields that are not what they should be."""
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
        and _is_count(shape[0], 1, MAX_CHANNELS)
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
        "format_version": _is_count(m.format_version, 1, FORMAT_VERSION),
    }
    wrong = [name for name, good in fine.items() if not good]
    if not wrong and m.num_classes:
        wrong += [] if classes and max(classes) < m.num_classes else ["classes"]
    return wrong


def checked(metadata: GeneratorMetadata) -> GeneratorMetadata:
    """Return the metadata.

    Raises:
        ValueError: names the fields that are wrong.
    """
    wrong = wrong_fields(metadata)
    if wrong:
        raise ValueError(f"it says something impossible of {', '.join(wrong)}")
    return metadata
