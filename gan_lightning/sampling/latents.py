"""Noise that is a pure function of its key, not of the global random state.

Philox is a counter-based generator: the key says *which* stream, the counter *where* in it. So
ranks draw different rows of one global batch, a resumed run goes on with the same stream, and
one process and N processes see the same noise. (`torch.Generator` uses 32 bits of its seed on
the CPU, so keys hashed into it collide; NumPy's Philox takes key and counter whole.)

Source: Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3.
"""

import numpy as np
import torch
from torch import Tensor

_TRAINING, _SAMPLING, _LABELS = 0, 1, 2


def _draws(seed: int, purpose: int, position: int, part: int) -> np.random.Generator:
    """Return NumPy's generator at (seed, purpose) -> (position, part)."""
    bits = np.random.Philox(
        key=np.array([seed, purpose], dtype=np.uint64),
        counter=np.array([0, 0, part, position], dtype=np.uint64),
    )
    return np.random.Generator(bits)


def _normal(seed: int, purpose: int, position: int, part: int, shape: tuple[int, ...]) -> Tensor:
    """Return a standard normal float32 of that shape."""
    draws = _draws(seed, purpose, position, part)
    return torch.from_numpy(draws.standard_normal(shape, dtype=np.float32))


def seed_step(seed: int, images_seen: int, rank: int, device: torch.device) -> None:
    """Seed torch's global state for one step of one rank.

    Augmentations, interpolations and dropout draw from it; so they too depend on the position
    alone, and survive a resume. (`torch.manual_seed` looks at every backend: 0.3 ms a step.)
    """
    words = np.random.SeedSequence([seed, images_seen, rank]).generate_state(2, np.uint32)
    key = int(words[0]) << 31 | int(words[1]) >> 1
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        torch.cuda.manual_seed(key)


def sent(z: Tensor, device: torch.device) -> Tensor:
    """Return latents on a device, without waiting for what it still has to do."""
    if device.type == "cuda":
        z = z.pin_memory()
    return z.to(device, non_blocking=True)


def training_latents(
    seed: int,
    images_seen: int,
    draw: int,
    batch_size: int,
    latent_dim: int,
    rank: int = 0,
    world_size: int = 1,
) -> Tensor:
    """Return z[batch_size, latent_dim]: this rank's rows of the global batch's noise.

    It is draw number `draw` of the step that began at the position `images_seen`.
    """
    z = _normal(seed, _TRAINING, images_seen, draw, (world_size * batch_size, latent_dim))
    return z[rank * batch_size : (rank + 1) * batch_size]


def sample_latents(seed: int, first: int, count: int, latent_dim: int) -> Tensor:
    """Return z[count, latent_dim] of samples first, first + 1, ...: each depends on (seed, i)."""
    rows = [_normal(seed, _SAMPLING, i, 0, (latent_dim,)) for i in range(first, first + count)]
    return torch.stack(rows) if rows else torch.empty(0, latent_dim)


def sample_uniforms(seed: int, first: int, count: int) -> Tensor:
    """Return u[count] in [0, 1), float64, of samples first, ...: each depends on (seed, i)."""
    draws = [_draws(seed, _LABELS, i, 0).random() for i in range(first, first + count)]
    return torch.tensor(draws, dtype=torch.float64)
