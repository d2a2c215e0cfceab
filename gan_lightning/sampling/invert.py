"""From images back to latents: which z, and which label, draws something closest to an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from gan_lightning.networks.base import Generator
from gan_lightning.sampling.draw import device_of, sample_chunk

SEARCHED = 10  # chunks of samples among which the starts are chosen
TARGETS = 16  # at a time
RATE = 0.1  # of Adam
PRIOR = 1e-3  # weight of |z|^2 / L: keeps z where the generator was trained


@dataclass(frozen=True)
class Inversion:
    """What was found for each image.

    Args:
        images: what the generator draws of it, float[N, C, H, W] in [-1, 1].
        z: the latents [N, L].
        y: the labels int64[N]; None without labels.
        errors: root mean square difference of pixels in (0, 1), [N].
        moved: whether z was moved; without a gradient it is that of the nearest sample.
    """

    images: Tensor
    z: Tensor
    y: Tensor | None
    errors: Tensor
    moved: bool


def invert(
    generator: Generator,
    targets: Tensor,
    labels: Sequence[int] = (),
    seed: int = 0,
    restarts: int = 4,
    steps: int = 200,
) -> Inversion:
    """Find z, and y among `labels`, that draw images closest to targets[N, C, H, W] in [-1, 1].

    The nearest of a thousand samples are the starts, `restarts` for each image, whatever their
    labels; Adam moves z from each. A generator that has no gradient in z keeps
    the nearest sample.

    Source: Zhu et al. 2016, Generative Visual Manipulation on the Natural Image Manifold, section
    3.1; Creswell & Bharath 2018, Inverting the Generator of a GAN (the prior on z).

    Raises:
        ValueError: the images have another shape than the generator's.
    """
    if tuple(targets.shape[1:]) != generator.image_shape:
        raise ValueError(f"images {list(targets.shape[1:])}, not {list(generator.image_shape)}")
    starts = _samples(generator, seed, labels)
    parts = list(targets.split(TARGETS))
    total = len(parts) * steps
    with tqdm(total=total, desc="inverting", leave=False, delay=1, disable=None) as bar:
        found = [_descend(generator, part, starts, restarts, steps, bar) for part in parts]
    return Inversion(
        torch.cat([one.images for one in found]),
        torch.cat([one.z for one in found]),
        torch.cat([one.y for one in found if one.y is not None]) if labels else None,
        torch.cat([one.errors for one in found]),
        all(one.moved for one in found),
    )


def _samples(
    generator: Generator, seed: int, labels: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return (images, latents, labels) of samples, as many of each label."""
    chunks = [sample_chunk(generator, i, seed, labels) for i in range(SEARCHED)]
    images = torch.cat([chunk.images for chunk in chunks])
    z = torch.cat([chunk.z for chunk in chunks])
    y = torch.cat([chunk.y for chunk in chunks if chunk.y is not None]) if labels else None
    return images, z, y


def _descend(
    generator: Generator,
    targets: Tensor,
    starts: tuple[Tensor, Tensor, Tensor | None],
    restarts: int,
    steps: int,
    bar: tqdm,
) -> Inversion:
    images, latents, labels = starts
    near = torch.cdist(targets.flatten(1), images.flatten(1)).topk(restarts, largest=False).indices
    device = device_of(generator)
    z = latents[near.flatten()].to(device).requires_grad_()
    y = None if labels is None else labels[near.flatten()].to(device)
    wanted = targets.to(device).repeat_interleave(restarts, dim=0)
    optimizer = torch.optim.Adam([z], lr=RATE)
    best, best_z = torch.full((len(z),), torch.inf, device=device), z.detach().clone()
    for step in range(steps + 1):
        drawn = generator(z, y)
        error = (drawn - wanted).square().flatten(1).mean(dim=1)
        better = error.detach() < best
        best = torch.where(better, error.detach(), best)
        best_z = torch.where(better[:, None], z.detach(), best_z)
        if step == steps or not error.requires_grad:
            bar.update(steps - step)
            break
        loss = error + PRIOR * z.square().mean(dim=1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        bar.update(1)
    chosen = best.unflatten(0, (-1, restarts)).argmin(dim=1)
    rows = torch.arange(len(targets), device=device) * restarts + chosen
    z, y = best_z[rows], None if y is None else y[rows]
    with torch.no_grad():
        drawn = generator(z, y).float()
    errors = best[rows].sqrt().cpu() / 2  # pixels in (0, 1) differ by half as much
    labels = None if y is None else y.cpu()
    return Inversion(drawn.cpu(), z.cpu(), labels, errors, error.requires_grad)
