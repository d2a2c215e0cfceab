"""The pinned feature network: a small classifier whose hidden layer is the space of all scores.

A score is a distance in some network's feature space, so a score without its network is a number
without a unit. Here the unit is the first 8 hex digits of the SHA-256 of the network's file.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gan_lightning.errors import UserError
from gan_lightning.export.rebuild import check_shapes
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.system.untrusted import printable, strict_json, tensor_header

SIDE = 28  # pixels that the network sees
CHUNK = 64  # images a forward pass: what fits the cache of a CPU core
SHIPPED = Path(__file__).parent  # holds NAME_features.safetensors and .json


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class DigitClassifier(nn.Module):
    """images[N, C, H, W] in [-1, 1] -> features[N, num_features] -> logits[N, num_classes].

    Five 3x3 convolutions, two of them with stride 2, a pooling, one hidden layer: 232,682
    parameters for MNIST. Other sizes and channel counts are brought to its own first.
    """

    def __init__(
        self, num_classes: int = 10, in_channels: int = 1, width: int = 32, num_features: int = 128
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_features = num_features
        self.body = nn.Sequential(
            _block(in_channels, width, 1),
            _block(width, width, 2),
            _block(width, 2 * width, 1),
            _block(2 * width, 2 * width, 2),
            _block(2 * width, 3 * width, 1),
            nn.MaxPool2d(2),
        )
        self.hidden = nn.Linear(3 * width * 9, num_features)
        self.head = nn.Linear(num_features, num_classes)

    def prepare(self, images: Tensor) -> Tensor:
        """Return [N, in_channels, 28, 28]: 32 px cropped (padding undone), other sizes resized."""
        if images.shape[1] != self.in_channels:
            images = images.mean(dim=1, keepdim=True).expand(-1, self.in_channels, -1, -1)
        size = images.shape[-1]
        if size == SIDE + 4:
            images = images[..., 2:-2, 2:-2]
        elif images.shape[-2:] != (SIDE, SIDE):
            images = F.interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=size > SIDE)
        return images.contiguous(memory_format=torch.channels_last)

    def features(self, images: Tensor) -> Tensor:
        """Map images[N, C, H, W] in [-1, 1] to features[N, num_features], at least 0."""
        return F.relu(self.hidden(self.body(self.prepare(images)).flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits[N, num_classes]; with dropout on the features in training."""
        return self.head(F.dropout(self.features(images), 0.4, self.training))

    def frozen(self) -> "DigitClassifier":
        """Return a copy for measuring, each BatchNorm folded into its convolution."""
        network = copy.deepcopy(self).eval().requires_grad_(False)
        for block in network.body:
            if isinstance(block, nn.Sequential):
                convolution, norm, _ = block
                assert isinstance(convolution, nn.Conv2d)
                assert isinstance(norm, nn.BatchNorm2d)
                block[0], block[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
        return network.to(memory_format=torch.channels_last)  # with this 1.9 times as fast


@dataclass(frozen=True)
class Embedded:
    """Features and logits of a set of images, and their unit."""

    features: Tensor  # float32[N, D]
    logits: Tensor  # float32[N, K] of the data set's classifier
    unit: str  # short hash of the network that made the features

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: Tensor | slice) -> "Embedded":
        return Embedded(self.features[rows], self.logits[rows], self.unit)

    @property
    def predictions(self) -> Tensor:
        """int64[N]: the likeliest class of each image."""
        return self.logits.argmax(dim=1)


class FeatureNetwork:
    """A frozen classifier, the SHA-256 of its file, and how it was trained, as the file says."""

    def __init__(self, network: DigitClassifier, sha256: str, metadata: dict[str, Any]) -> None:
        self.network = network.frozen()
        self.sha256 = sha256
        self.metadata = metadata

    @property
    def unit(self) -> str:
        """The short hash that scores carry; scores of two units are never compared."""
        return self.sha256[:8]

    def to(self, device: torch.device | str) -> "FeatureNetwork":
        self.network.to(device)
        return self

    @torch.no_grad()
    def embed(self, images: Tensor, chunk: int = CHUNK) -> Embedded:
        """Return features and logits, on the CPU, of images[N, C, H, W].

        Images are uint8, or float in [-1, 1]; floats are rounded to uint8 first, so that an image
        scores the same before and after it was written to a file.
        """
        device = next(self.network.parameters()).device
        features, logits = [], []
        for part in images.split(chunk):
            found = self.network.features(to_unit_range(to_uint8(part).to(device)))
            features.append(found.cpu())
            logits.append(self.network.head(found).cpu())
        return Embedded(torch.cat(features), torch.cat(logits), self.unit)


def require_one_unit(units: Sequence[str]) -> str:
    """Return the unit that all share; UserError if there are two."""
    different = sorted(set(units))
    if len(different) != 1:
        raise UserError(
            f"scores of different feature networks ({', '.join(different)}) cannot be compared: "
            "score all with the same metrics.features"
        )
    return different[0]


def read_feature_network(path: Path, expected_sha256: str | None = None) -> FeatureNetwork:
    """Read a classifier from a safetensors file; UserError if it is none or not the expected."""
    try:
        texts = tensor_header(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if expected_sha256 not in (None, sha256):
            raise UserError(f"{path} has SHA-256 {sha256}, not {expected_sha256}: it was changed")
        metadata = strict_json(texts["gan_lightning_features"])
        with torch.device("meta"):  # a lie about sizes costs no memory
            network = DigitClassifier(**metadata["arguments"])
        tensors = load_file(path)
        check_shapes(network, {k: tuple(v.shape) for k, v in tensors.items()}, "DigitClassifier")
        network.to_empty(device="cpu").load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = printable(str(error))[:300]
        raise UserError(f"{path} is not a feature network of this project ({reason})") from error
    return FeatureNetwork(network, sha256, metadata)


def shipped_feature_network(name: str) -> FeatureNetwork:
    """Return a network that the package ships, checked by SHA-256: `digits` or `mnist`."""
    expected = json.loads((SHIPPED / f"{name}_features.json").read_text())["sha256"]
    return read_feature_network(SHIPPED / f"{name}_features.safetensors", expected)
