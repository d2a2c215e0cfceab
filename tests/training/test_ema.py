"""The averaged generator: half-life in images, warm-up, and what must never move."""

import pytest
import torch
from torch import nn

from gan_lightning.training.ema import AveragedGenerator


@pytest.fixture
def network() -> nn.Module:
    """One weight 0, and a BatchNorm with its buffers."""
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.zeros_(network[0].weight)
    return network


def weight(average: AveragedGenerator) -> float:
    return average.module[0].weight.item()


def set_weight(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        network[0].weight.fill_(value)


@pytest.mark.parametrize("batch", [1, 50, 1000])
def test_half_of_the_past_is_gone_after_a_half_life(network: nn.Module, batch: int) -> None:
    """Whatever the batch size: 1 at the start, 0 fed for one half-life, leaves 1/2."""
    set_weight(network, 1.0)
    average = AveragedGenerator(network, half_life=1000, ramp_up=1.0)
    average.update(network, 10**6, batch)  # the first is a copy
    set_weight(network, 0.0)
    for _ in range(1000 // batch):
        average.update(network, 10**6, batch)
    assert weight(average) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("images_seen", "decay"),
    [
        (1280, 0.5),  # half-life 5 % of 1,280 images: one batch of 64
        (2560, 0.5**0.5),
        (100_000, 0.5 ** (64 / 5000)),  # 5,000 from here on
        (10**9, 0.5 ** (64 / 5000)),
    ],
)
def test_the_half_life_warms_up(network: nn.Module, images_seen: int, decay: float) -> None:
    average = AveragedGenerator(network, half_life=5000, ramp_up=0.05)
    assert average.decay(images_seen, 64) == pytest.approx(decay)


def test_the_untrained_start_is_forgotten(network: nn.Module) -> None:
    """After ten steps a fixed decay of 0.999 would still hold 99 % of the start."""
    set_weight(network, 100.0)
    average = AveragedGenerator(network, half_life=5000, ramp_up=0.05)
    set_weight(network, 1.0)
    for step in range(1, 11):
        average.update(network, 64 * step, 64)
    assert weight(average) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("half_life", "ramp_up"), [(0, 0.05), (5000, 0.0)])
def test_no_half_life_is_a_copy(network: nn.Module, half_life: float, ramp_up: float) -> None:
    average = AveragedGenerator(network, half_life, ramp_up)
    for value in (1.0, -2.0):
        set_weight(network, value)
        average.update(network, 10**6, 64)
        assert weight(average) == value


def test_statistics_are_averaged_as_weights_are(network: nn.Module) -> None:
    """A copy of the last value would be of a few batches only; counts are copied."""
    average = AveragedGenerator(network, half_life=64, ramp_up=1.0)
    for mean, expected in ((0.0, 0.0), (8.0, 4.0), (8.0, 6.0)):
        network[1].running_mean.fill_(mean)
        network[1].running_var.fill_(1.0 + mean)
        network[1].num_batches_tracked += 1
        average.update(network, 10**6, 64)
        averaged = average.module[1]
        assert averaged.running_mean.item() == pytest.approx(expected)
        assert averaged.running_var.item() == pytest.approx(1.0 + expected)
        assert torch.equal(averaged.num_batches_tracked, network[1].num_batches_tracked)


def test_it_is_never_trained(network: nn.Module) -> None:
    average = AveragedGenerator(network, half_life=5000)
    nn.ModuleList([average]).train()
    assert not any(module.training for module in average.modules())
    assert not any(p.requires_grad for p in average.parameters())
    assert all(p.requires_grad for p in network.parameters())


def test_it_is_a_network_of_its_own(network: nn.Module) -> None:
    average = AveragedGenerator(network, half_life=5000)
    set_weight(network, 9.0)
    assert weight(average) == 0.0
