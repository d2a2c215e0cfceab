"""Where a data set's feature network comes from: the package, the cache, or training it now."""

import json
import platform
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from gan_lightning.data import DataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.errors import UserError
from gan_lightning.metrics.features.cache import cache_folder, fingerprint
from gan_lightning.metrics.features.classifier import (
    SHIPPED,
    DigitClassifier,
    FeatureNetwork,
    read_feature_network,
    shipped_feature_network,
)
from gan_lightning.metrics.features.training import train_classifier
from gan_lightning.metrics.label_scores import label_accuracy
from gan_lightning.system.files import write_once


def save_classifier(network: DigitClassifier, metadata: dict[str, Any], path: Path) -> None:
    """Write a feature network, unless another process has just written it."""
    tensors = {k: v.contiguous() for k, v in network.state_dict().items()}
    text = {"gan_lightning_features": json.dumps(metadata, sort_keys=True)}
    write_once(path, lambda temporary: save_file(tensors, temporary, metadata=text))


def train_features(
    data: DataModule, path: Path, seed: int = 0, epochs: int | None = None, width: int | None = None
) -> FeatureNetwork:
    """Train the feature network of a data set, all of its classes, and write it."""
    train, test = ImageTensors(*data.load(train=True)), ImageTensors(*data.load(train=False))
    # For MNIST's 60,000 images, or seconds of training for a small set.
    usual_epochs, usual_width = (8, 32) if len(train) >= 20_000 else (20, 16)
    epochs, width = epochs or usual_epochs, width or usual_width
    network = train_classifier(train, data.num_classes, epochs, seed, width)
    logits = FeatureNetwork(network, "", {}).embed(test.images).logits
    metadata = {
        "data": str(data.name),
        "data_fingerprint": fingerprint(train.images, train.labels),
        "test_accuracy": label_accuracy(logits, test.labels).value,
        "seed": seed,
        "epochs": epochs,
        "arguments": {
            "num_classes": data.num_classes,
            "in_channels": train.images.shape[1],
            "width": width,
            "num_features": network.num_features,
        },
        # Where benchmarks/features.py was when the shipped networks were trained: hashes cover it.
        "command": "python -m gan_lightning.metrics.features "
        f"data={data.name} seed={seed} epochs={epochs} width={width}",
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    save_classifier(network, metadata, path)
    return read_feature_network(path)


def feature_network(data: DataModule) -> FeatureNetwork:
    """Return a data set's network: the shipped one, a cached one, or one trained now and cached.

    The fingerprint of the training split before it is resized decides, not the name: the digits
    are the digits in any resolution, and a user's own data set called `digits` is not.

    Raises:
        UserError: the data set has no labels to train one with.
    """
    if not data.num_classes:
        raise UserError(
            f"{data.name} has no labels, so no classifier whose features could score it"
        )
    mark = fingerprint(*data.load(train=True))
    for note in SHIPPED.glob("*_features.json"):
        about = json.loads(note.read_text())
        classes = about["arguments"]["num_classes"]
        if (about["data_fingerprint"], classes) == (mark, data.num_classes):
            return shipped_feature_network(about["data"])
    path = cache_folder(data) / f"{data.name}_features-{mark}.safetensors"
    return read_feature_network(path) if path.is_file() else train_features(data, path)
