"""What a user of sample.py may ask of a generator."""

from gan_lightning.config import SampleConfig
from gan_lightning.errors import UserError
from gan_lightning.metadata import GeneratorMetadata


def asked_labels(asked: SampleConfig, metadata: GeneratorMetadata) -> tuple[list[int], list[int]]:
    """Return (the labels to draw, how often each occurs if they are to be drawn from P(Y)).

    Raises:
        UserError: the generator does not know the label, or not how often labels occur.
    """
    known = ", ".join(map(str, metadata.labels)) or "none: it is unconditional"
    if asked.label is not None:
        if asked.label not in metadata.labels:
            raise UserError(f"label={asked.label}: this generator's labels are {known}")
        if asked.labels != "turn":
            raise UserError(f"label={asked.label} and labels={asked.labels}: give one of them")
        return [asked.label], []
    if asked.labels == "turn":
        return metadata.labels, []
    if asked.labels != "joint":
        raise UserError(f"labels={asked.labels} must be one of turn, joint")
    if not metadata.labels:
        raise UserError(f"labels=joint: this generator's labels are {known}")
    if not metadata.class_counts:
        raise UserError("labels=joint: its file does not say how often each label occurs")
    return metadata.labels, metadata.class_counts
