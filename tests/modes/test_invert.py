"""Inversion finds the latent of an image that the generator drew, and is honest about others."""

import torch

from gan_lightning.networks import GaussianMixture
from gan_lightning.sampling.invert import invert
from gan_lightning.sampling.latents import sample_latents
from tests.modes.conftest import SHAPE, untrained


def test_a_drawn_image_is_found_again() -> None:
    generator = untrained()
    z, y = sample_latents(99, 0, 3, 8), torch.tensor([2, 0, 3])
    targets = generator(z, y)
    found = invert(generator, targets, range(4), restarts=4, steps=150)
    assert found.y is not None
    assert found.y.tolist() == [2, 0, 3]
    assert found.errors.max().item() < 0.02
    assert torch.allclose(generator(found.z, found.y), found.images, atol=1e-5)
    expected = (found.images - targets).square().flatten(1).mean(1).sqrt() / 2
    assert torch.allclose(found.errors, expected, atol=1e-4)


def test_more_steps_and_restarts_come_closer() -> None:
    generator = untrained()
    targets = generator(sample_latents(99, 0, 2, 8), torch.tensor([1, 2]))
    few = invert(generator, targets, range(4), restarts=1, steps=0)
    many = invert(generator, targets, range(4), restarts=4, steps=40)
    assert (many.errors < few.errors).all()


def test_without_gradients_the_nearest_sample_is_kept() -> None:
    generator = GaussianMixture(SHAPE, 0, principal=2, components=2)
    found = invert(generator, torch.zeros(1, *SHAPE), restarts=2, steps=2)
    assert found.y is None
    assert found.errors.isfinite().all()
