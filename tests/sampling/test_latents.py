"""Latents are a pure function of their key."""

import pytest
import torch

from gan_lightning.sampling.latents import sample_latents, sample_uniforms, training_latents

BASE = {"seed": 7, "images_seen": 640, "draw": 1, "batch_size": 8, "latent_dim": 16}


@pytest.mark.parametrize("world_size", [2, 4])
def test_ranks_share_out_what_one_process_draws(world_size: int) -> None:
    one = training_latents(**BASE)
    parts = [
        training_latents(**BASE | {"batch_size": 8 // world_size}, rank=r, world_size=world_size)
        for r in range(world_size)
    ]
    assert torch.equal(torch.cat(parts), one)


def test_the_same_key_gives_the_same_latents_whatever_torchs_seed() -> None:
    torch.manual_seed(1)
    first = training_latents(**BASE)
    torch.manual_seed(2)
    assert torch.equal(training_latents(**BASE), first)


@pytest.mark.parametrize("key", ["seed", "images_seen", "draw"])
@pytest.mark.parametrize("step", [1, 2**32 - 8])
def test_another_key_gives_other_latents(key: str, step: int) -> None:
    """Keys 2^32 apart too: a 32-bit hash of the key would collide."""
    other = training_latents(**BASE | {key: BASE[key] + step})
    assert not torch.isclose(other, training_latents(**BASE)).any(dim=1).all()


def test_keys_do_not_swap() -> None:
    """(position, draw) = (1, 2) is not (2, 1), and a seed is not a position."""
    keys = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (3, 2, 1)]
    drawn = [training_latents(*key, batch_size=4, latent_dim=8) for key in keys]
    assert len({tuple(z.flatten().tolist()) for z in drawn}) == len(keys)


def test_training_and_sampling_are_different_streams() -> None:
    trained = training_latents(3, 5, 0, batch_size=1, latent_dim=16)
    assert not torch.equal(trained[0], sample_latents(3, 5, 1, 16)[0])


def test_sample_rows_depend_on_their_index_alone() -> None:
    whole = sample_latents(seed=1, first=0, count=20, latent_dim=8)
    assert torch.equal(sample_latents(1, 0, 5, 8), whole[:5])
    assert torch.equal(sample_latents(1, 13, 7, 8), whole[13:])
    assert len(torch.unique(whole, dim=0)) == 20
    assert not torch.isclose(sample_latents(2, 0, 20, 8), whole).any(dim=1).any()


def test_no_samples() -> None:
    assert sample_latents(0, 0, 0, 8).shape == (0, 8)


@pytest.mark.parametrize("purpose", ["training", "sampling"])
def test_roughly_standard_normal(purpose: str) -> None:
    """Bounds are 5 standard errors; the keys are fixed, so the test is not random."""
    if purpose == "training":
        z = training_latents(0, 0, 0, batch_size=1000, latent_dim=64)
    else:
        z = sample_latents(0, 0, 1000, 64)
    assert z.shape == (1000, 64)
    assert z.dtype == torch.float32
    assert z.mean().abs() < 5 / 64000**0.5
    assert (z.var() - 1).abs() < 5 * (2 / 64000) ** 0.5
    assert abs((z.abs() < 1).float().mean() - 0.6827) < 5 * (0.6827 * 0.3173 / 64000) ** 0.5
    neighbours = (z[1:] * z[:-1]).mean() if purpose == "sampling" else (z[:, 1:] * z[:, :-1]).mean()
    assert neighbours.abs() < 5 / 63000**0.5


def test_labels_say_nothing_about_their_latents() -> None:
    """Bits that both are made of would give each class its own part of the latents' space."""
    u = sample_uniforms(0, 0, 2000)
    z = sample_latents(0, 0, 2000, 4).double()
    for column in torch.cat([z, z.abs()], 1).T:
        assert torch.corrcoef(torch.stack([u, column]))[0, 1].abs() < 0.1  # 4.5 sigma
