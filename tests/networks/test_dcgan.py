"""What is particular to DCGAN."""

import pytest
import torch
from torch import nn

from gan_lightning.networks import DCGANDiscriminator, DCGANGenerator
from gan_lightning.networks.dcgan import halvings
from gan_lightning.networks.layers import MinibatchStddev


@pytest.mark.parametrize(("size", "count"), [(28, 2), (32, 3), (64, 4), (7, 0), (4, 0), (24, 3)])
def test_halvings(size: int, count: int) -> None:
    assert halvings(size) == (count, size // 2**count)


def test_width_is_the_channels_at_full_resolution() -> None:
    generator = DCGANGenerator(16, [1, 32, 32], width=8)
    seen: set[tuple[int, int]] = set()
    for layer in generator.layers:
        layer.register_forward_hook(lambda _m, _i, out: seen.add((out.shape[-1], out.shape[1])))
    generator(torch.randn(2, 16))
    assert seen == {(4, 64), (8, 32), (16, 16), (32, 8), (32, 1)}


@pytest.mark.parametrize(("batch_norm", "count"), [(False, 0), (True, 1)])
def test_the_discriminator_normalises_on_request_alone(batch_norm: bool, count: int) -> None:
    network = DCGANDiscriminator([1, 28, 28], width=8, batch_norm=batch_norm)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert bool(norms) == bool(count)


def test_without_batch_norm_a_logit_depends_on_its_image_alone() -> None:
    """A gradient penalty per sample means nothing otherwise."""
    network, images = DCGANDiscriminator([1, 28, 28], width=8), torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(network(images[:1]), network(images)[:1])


def test_minibatch_stddev_by_hand() -> None:
    """Two images in a group, 0 and 2 everywhere: standard deviation 1; a collapsed pair: 0."""
    layer = MinibatchStddev(group_size=2)
    varied = torch.stack([torch.zeros(3, 4, 4), torch.full((3, 4, 4), 2.0)])
    out = layer(varied)
    assert out.shape == (2, 4, 4, 4)
    torch.testing.assert_close(out[:, :3], varied)
    torch.testing.assert_close(out[:, 3], torch.ones(2, 4, 4))
    assert layer(torch.ones(2, 3, 4, 4))[:, 3].max() < 1e-3


@pytest.mark.parametrize("batch", [1, 6, 8])
def test_minibatch_stddev_takes_any_batch(batch: int) -> None:
    network = DCGANDiscriminator([1, 28, 28], width=8, minibatch_stddev=4)
    assert network(torch.randn(batch, 1, 28, 28)).shape == (batch,)


def test_weights_start_small() -> None:
    torch.manual_seed(0)
    for network in (DCGANGenerator(64, [1, 28, 28]), DCGANDiscriminator([1, 28, 28])):
        weights = [
            layer.weight
            for layer in network.modules()
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        ]
        std = torch.cat([weight.flatten() for weight in weights]).std().item()
        assert std == pytest.approx(0.02, rel=0.02)
