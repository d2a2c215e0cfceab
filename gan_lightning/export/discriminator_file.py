"""The discriminator in a file of its own, as safe as the generator's, and what it says of images.

A safetensors file like the generator's: tensors, plain JSON, a class of a closed list. It also
holds the centres of the clusters that take the place of labels, if there are such, and the
calibration that turns logits into probabilities, once `sample.py mode=judge` has found one.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_metadata import (
    KIND,
    Calibration,
    DiscriminatorMetadata,
    checked,
)
from gan_lightning.export.metadata import FORMAT_VERSION
from gan_lightning.export.rebuild import Trust, blank, check_cost, check_shapes, fill
from gan_lightning.export.tensor_file import (
    Shapes,
    building,
    read_fields,
    read_tensors,
    reading,
    write_tensor_file,
)
from gan_lightning.networks.base import Discriminator
from gan_lightning.networks.layers import LabelConcat, MinibatchStddev
from gan_lightning.sampling.draw import CHUNK

DISCRIMINATOR_FILE = "discriminator.safetensors"  # in a run folder: the latest
JUDGE_FILE = "judge.safetensors"  # the same trained on, with G frozen, until it decides
CENTRES = "clusters.centres"  # [K, P]


@dataclass(frozen=True)
class Judge:
    """A discriminator in eval mode on the CPU, and how to read its logits."""

    discriminator: Discriminator
    metadata: DiscriminatorMetadata
    centres: Tensor | None = None  # of clusters [K, P]

    @property
    def calibration(self) -> Calibration | None:
        found = self.metadata.calibration
        return Calibration(**found) if found else None

    def calibrated(self, calibration: Calibration) -> "Judge":
        """Return the same with a calibration."""
        fields = dataclasses.asdict(calibration)
        return dataclasses.replace(
            self, metadata=dataclasses.replace(self.metadata, calibration=fields)
        )

    def answers(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return D's logits [B] of images[B, C, H, W] in [-1, 1]: the larger, the more real.

        Without labels y[B] a conditional D is asked about each, and its largest answer counts; with
        clusters in their place it is asked about the image's own.
        """
        d = self.discriminator
        if not d.num_classes:
            return d(x)
        if self.centres is not None:
            y = self.clusters(x)
        if y is not None:
            return d(x, y)
        labels = [torch.full((len(x),), label) for label in self.metadata.classes]
        if self._label_at_the_end:
            h = d.features(x)
            return torch.stack([d.head(h, y) for y in labels]).max(dim=0).values
        return torch.stack([d(x, y) for y in labels]).max(dim=0).values

    @property
    def _label_at_the_end(self) -> bool:
        """Whether D's features are the same for every label."""
        known = type(self.discriminator).features is not Discriminator.features
        return known and not any(isinstance(m, LabelConcat) for m in self.discriminator.modules())

    @torch.inference_mode()
    def logits(self, images: Tensor, y: Tensor | None = None) -> Tensor:
        """Return `answers` of any number of images, some at a time, without gradients."""
        labels = [None] * len(images) if y is None else y.split(CHUNK)
        parts = zip(images.split(CHUNK), labels, strict=False)
        return torch.cat([self.answers(x, known) for x, known in parts])

    def clusters(self, x: Tensor) -> Tensor:
        """Return the cluster int64[B] of images, where clusters take the place of labels."""
        assert self.centres is not None
        return torch.cdist(x.flatten(1), self.centres).argmin(dim=1)

    def p_fake(self, images: Tensor, y: Tensor | None = None, raw: bool = False) -> Tensor:
        """Return P(fake | features) [B]; calibrated, unless `raw`, if a calibration is known."""
        logits, known = self.logits(images, y), None if raw else self.calibration
        return 1 - (logits if known is None else known.scale * logits + known.offset).sigmoid()


def save_judge(path: Path, judge: Judge) -> None:
    """Write a discriminator's file."""
    tensors = dict(judge.discriminator.state_dict())
    if judge.centres is not None:
        tensors[CENTRES] = judge.centres
    write_tensor_file(path, dataclasses.asdict(checked(judge.metadata)), tensors)


def read_judge_file(path: Path, trust: Trust = None) -> Judge:
    """Read a `discriminator.safetensors`; the tensors last, once they fit. UserError if none."""
    with reading(path, KIND):
        fields, expected = read_fields(path, FORMAT_VERSION)
        metadata = checked(DiscriminatorMetadata(**fields))
        found: list[Discriminator] = []
        pixels = torch.Size(metadata.image_shape).numel()

        def accept(shapes: Shapes) -> None:
            with building(path, KIND):
                centres = shapes.pop(CENTRES, None)
                if centres not in (None, (metadata.num_classes, pixels)):
                    raise ValueError(f"tensor {CENTRES!r} does not fit")
                d = blank(
                    metadata.class_name, metadata.arguments, len(shapes), trust, Discriminator
                )
                check_shapes(d, shapes, metadata.class_name)
                said = (tuple(metadata.image_shape), metadata.num_classes)
                if said != (d.image_shape, d.num_classes):
                    raise ValueError("image_shape or num_classes are not the network's")
                if any(weight.is_meta for weight in d.state_dict().values()):
                    check_cost(d, d.image_shape, d.num_classes)
                found.append(d)

        tensors = read_tensors(path, fields, expected, accept)
        if not all(v.isfinite().all() for v in tensors.values()):
            raise ValueError("numbers that are not finite")
        centres = tensors.pop(CENTRES, None)
        if centres is not None and centres.dtype != torch.float32:
            raise ValueError(f"tensor {CENTRES!r} is {centres.dtype}")
        return Judge(alone(fill(found[0], tensors)), metadata, centres)


def alone(d: Discriminator) -> Discriminator:
    """Return D with each image a group of its own: what it says must not hang on the others."""
    for layer in d.modules():
        if isinstance(layer, MinibatchStddev):
            layer.group_size = 1
    return d


def read_judge(path: Path, trust: Trust = None, trained: bool | None = None) -> Judge:
    """Read the D of a run folder, beside a generator's file, or of a file of its own.

    Args:
        trained: the one trained on until it decides; None: that one if it is there.

    Raises:
        UserError: there is none.
    """
    file = judge_file(path, trained)
    if not file.is_file():
        way = "name the run folder of a GAN (a VAE or a density has no D; an older run of a GAN "
        way += "gets it by resume=RUN trainer.max_epochs=MORE)"
        if trained:
            way = "make it by python sample.py mode=judge train_judge=true"
        raise UserError(f"{path}: no {file} beside it, which says what D makes of images: {way}")
    return read_judge_file(file, trust)


def judge_file(path: Path, trained: bool | None = None) -> Path:
    """Return where the D of a run folder, or of any file in it, is kept."""
    folder = path if path.is_dir() else path.parent
    folder = folder.parent if folder.name == "checkpoints" else folder
    if trained is None:
        trained = (folder / JUDGE_FILE).is_file()
    return folder / (JUDGE_FILE if trained else DISCRIMINATOR_FILE)
