"""Draw images from a generator: sample i depends on (seed, i) alone."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.latents import sample_latents, sample_uniforms

# Samples are computed in aligned chunks of this size, the last one too: a kernel may round
# differently for another batch size, and then sample i would depend on num_samples.
CHUNK = 100


def sample_labels(
    first: int, count: int, labels: Sequence[int], counts: Sequence[int] = (), seed: int = 0
) -> Tensor:
    """Return int64[count]: labels in turn, or drawn by (seed, i) with the frequencies `counts`."""
    if not counts:
        return torch.tensor([labels[i % len(labels)] for i in range(first, first + count)])
    edges = torch.tensor(counts).cumsum(0)  # whole numbers: the last is a bound that u cannot reach
    below = (sample_uniforms(seed, first, count) * edges[-1]).long()
    return torch.tensor(labels)[torch.searchsorted(edges, below, right=True)]


def device_of(network: nn.Module) -> torch.device:
    """Return where the parameters are, or the buffers; the CPU if a network has neither."""
    return next(chain(network.parameters(), network.buffers()), torch.empty(0)).device


class Chunk(NamedTuple):
    """Samples of a generator, on the CPU."""

    images: Tensor  # [CHUNK, C, H, W] in [-1, 1]
    y: Tensor | None  # labels int64[CHUNK]
    z: Tensor  # [CHUNK, L]


def sample_chunk(
    generator: Generator,
    index: int,
    seed: int = 0,
    labels: Sequence[int] = (),
    counts: Sequence[int] = (),
) -> Chunk:
    """Return samples index * CHUNK .. (index + 1) * CHUNK.

    They are on the CPU, whatever device the generator is on. Arguments as of `sample_chunks`.

    Raises:
        ValueError: a conditional generator without labels, or labels for an unconditional one.
    """
    if bool(labels) != bool(generator.num_classes):
        raise ValueError("labels are for conditional generators, and those need at least one")
    first = index * CHUNK
    z = sample_latents(seed, first, CHUNK, generator.latent_dim)
    y = sample_labels(first, CHUNK, labels, counts, seed) if labels else None
    return Chunk(images_of(generator, z, y), y, z)


@torch.inference_mode()
def images_of(
    generator: Generator,
    z: Tensor,
    y: Tensor | None = None,
    draw: Callable[[Tensor, Tensor | None], Tensor] | None = None,
) -> Tensor:
    """Return images[N, C, H, W] of any number of latents z[N, ...] and labels y[N], on the CPU.

    In chunks of the same size, the last filled up: an image does not depend on the others.

    Args:
        draw: what is done on the generator's device with a chunk, if not `generator(z, y)`.
    """
    device, parts = device_of(generator), []
    for first in range(0, len(z), CHUNK):
        rows = torch.arange(first, first + CHUNK).clamp(max=len(z) - 1)
        labels = None if y is None else y[rows].to(device)
        images = (draw or generator)(z[rows].to(device), labels)
        parts.append(images.float().cpu()[: len(z) - first])
    return torch.cat(parts)


def sample_chunks(
    generator: Generator,
    num_samples: int,
    seed: int = 0,
    labels: Sequence[int] = (),
    counts: Sequence[int] = (),
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield (images[n, C, H, W] in [-1, 1], labels[n] or None), n <= CHUNK, on the CPU.

    Args:
        generator: in eval mode; sampled on the device that it is on.
        labels: for a conditional generator, the labels to draw in turn.
        counts: how often each of them occurs: then they are drawn from that P(Y), and images
            from P(X|Y), which together is P(X, Y).
    """
    draw = partial(sample_chunk, generator, seed=seed, labels=labels, counts=counts)
    chunks = range(math.ceil(num_samples / CHUNK))
    threads = torch.get_num_threads() if device_of(generator).type == "cpu" else 1
    made = _in_threads(draw, chunks, threads) if threads > 1 else map(draw, chunks)
    for index, (images, y, _) in zip(chunks, made, strict=True):
        n = min(CHUNK, num_samples - index * CHUNK)
        yield images[:n], (y[:n] if y is not None else None)


def _in_threads(draw: Callable[[int], Chunk], chunks: Sequence[int], count: int) -> Iterator[Chunk]:
    """Yield the chunks in order, `count` at once, each by one thread.

    Two chunks on two cores take less than two in turn, each on both: small layers do not divide.
    """
    waiting: deque[Future[Chunk]] = deque()
    with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for index in chunks:
            waiting.append(pool.submit(draw, index))
            if len(waiting) > 2 * count:  # bounded memory, however slow whoever takes them is
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def sample(
    generator: Generator,
    num_samples: int,
    seed: int = 0,
    labels: Sequence[int] = (),
    counts: Sequence[int] = (),
) -> tuple[Tensor, Tensor | None]:
    """Return all of `sample_chunks` at once: (images, labels or None).

    Without labels, those that the generator's file knows are drawn in turn.
    """
    labels = labels or getattr(generator.metadata, "labels", ())
    chunks = list(sample_chunks(generator, num_samples, seed, labels, counts))
    if not chunks:
        return torch.empty(0, *generator.image_shape), None
    images = torch.cat([image for image, _ in chunks])
    drawn = [label for _, label in chunks if label is not None]
    return images, torch.cat(drawn) if drawn else None


def sample_categories(generator: Generator, columns: int, seed: int = 0) -> Tensor:
    """Return images [categories * columns, C, H, W]: the same latents in every category."""
    z = sample_latents(seed, 0, columns, generator.latent_dim)
    return images_of(generator, generator.latent_codes.by_category(z))


def one_device(accelerator: str) -> torch.device:
    """Return the device that `accelerator` (auto, cpu, gpu, cuda, mps) means here.

    In plain torch: Lightning would take seconds to import.

    Raises:
        UserError: there is no such device.
    """
    here = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
    gpus = [name for name, available in here.items() if available]
    kinds = {"auto": [*gpus, "cpu"], "gpu": gpus, "cpu": ["cpu"]} | {gpu: [gpu] for gpu in gpus}
    if not kinds.get(accelerator):
        choice = ", ".join(kind for kind, devices in kinds.items() if devices)
        raise UserError(f"accelerator={accelerator} is not here: choose one of {choice}")
    return torch.device(kinds[accelerator][0])
