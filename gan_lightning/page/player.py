"""The generator behind the page: latents in, pictures out, within bounds."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lightning.export.generator_file import read_generator
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.export.onnx_file import OnnxGenerator, onnx_of, read_onnx
from gan_lightning.export.rebuild import Trust
from gan_lightning.networks.base import Generator
from gan_lightning.page.asked import MAX_IMAGES, BadRequest
from gan_lightning.pixels import to_uint8, visible

MAX_VALUES = 8 << 20  # numbers in the images of one answer
MAX_LATENT = 4096  # numbers of a latent that a browser is sent


def read_player(path: Path, trust: Trust = None) -> "Player":
    """Return the player of a generator; of an exported folder it draws with the ONNX file."""
    onnx = onnx_of(path)
    return Player(*(read_onnx(onnx) if onnx else read_generator(path, trust)))


@dataclass
class Player:
    """A generator in eval mode on the CPU, what its file says, and the file."""

    generator: Generator
    metadata: GeneratorMetadata
    file: Path
    _strength: float = 1.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.generator.eval().requires_grad_(False)

    @property
    def refusal(self) -> str:
        """Why its samples are no pictures to play with; "" if they are."""
        m = self.metadata
        if m.table:
            return f"{self.file} draws rows of a table: python sample.py writes them."
        if m.image_shape[1:] == [1, 1]:
            return f"{self.file} draws points, no pictures: see its training in the lab."
        if m.latent_dim > MAX_LATENT:
            return f"{self.file} has latents of {m.latent_dim:,} numbers: too long for a page."
        return ""

    @property
    def most(self) -> int:
        """How many images one answer may hold."""
        values = max(1, torch.Size(self.metadata.image_shape).numel())
        return max(1, min(MAX_IMAGES, MAX_VALUES // values))

    @property
    def truncates(self) -> bool:
        return type(self.generator).truncate is not Generator.truncate

    def about(self) -> dict[str, Any]:
        """Return what the page needs to know of it."""
        m, codes = self.metadata, self.generator.latent_codes
        return {
            "file": str(self.file),
            "network": m.class_name,
            "onnx": isinstance(self.generator, OnnxGenerator),
            "dataset": m.dataset,
            "standing": m.standing,
            "latentDim": m.latent_dim,
            "shape": m.image_shape,
            "labels": m.labels,
            "categories": codes.categories,
            "continuous": codes.continuous,
            "truncates": self.truncates,
            "most": self.most,
        }

    def images(self, z: Tensor, y: Tensor | None, truncation: float | None = None) -> Tensor:
        """Return uint8[N, C, H, W], C 1 or 3, of latents z[N, L] and labels y[N].

        Raises:
            BadRequest: the network has no truncation.
        """
        if truncation is not None and not self.truncates:
            raise BadRequest(f"truncation: {self.metadata.class_name} has none here")
        with self._lock, torch.no_grad():
            if self.truncates:
                self._truncate(1.0 if truncation is None else truncation)
            return visible(to_uint8(self.generator(z, y).float()))

    def _truncate(self, strength: float) -> None:
        if strength != self._strength:
            self.generator.truncate(strength)
            self._strength = strength
