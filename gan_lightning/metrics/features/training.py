"""Training of the feature networks: a function of data, seed and epochs alone."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.data.batches import ImageTensors
from gan_lightning.metrics.features.classifier import DigitClassifier
from gan_lightning.pixels import to_unit_range

BATCH = 128


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn (+-11 degrees), scale (+-10 %) and shift (+-2 px) each image, the border staying black.

    images[B, C, H, W] in [-1, 1]. Not mirrored: a mirrored digit is another sign.
    """
    count = len(images)
    turn, scale = torch.rand(2, count, generator=generator) - 0.5
    turn, scale = turn * 0.4, 1 + scale * 0.2
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = turn.cos() * scale, -turn.sin() * scale
    matrix[:, 1, 0], matrix[:, 1, 1] = turn.sin() * scale, turn.cos() * scale
    matrix[:, :, 2] = (torch.rand(count, 2, generator=generator) - 0.5) * 0.3
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1


def batches(
    split: ImageTensors, epochs: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (uint8 images, labels), every epoch in a new order; the last few images wait."""
    for _ in range(epochs):
        order = torch.randperm(len(split), generator=generator)
        for rows in order.split(BATCH):
            if len(rows) == min(BATCH, len(split)):
                yield split[rows]


def train_classifier(
    split: ImageTensors, num_classes: int, epochs: int, seed: int = 0, width: int = 32
) -> DigitClassifier:
    """Return a classifier trained on a split, in eval mode; the global random state is kept.

    AdamW with one cycle of the learning rate (Smith & Topin 2017) and label smoothing.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        network = DigitClassifier(num_classes, split.images.shape[1], width)
        network.to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
        steps = epochs * max(1, len(split) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
        for images, labels in batches(split, epochs, generator):
            images = jitter(network.prepare(to_unit_range(images)), generator)
            loss = F.cross_entropy(network(images), labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()
