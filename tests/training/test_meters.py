"""Means between two points of the curves."""

import time
from typing import Any

import pytest
import torch
from lightning.pytorch.strategies import SingleDeviceStrategy

from gan_lightning.training.meters import Meters

ONE = SingleDeviceStrategy(torch.device("cpu"))


def test_means_over_an_interval() -> None:
    meters = Meters(every_n_images=20)
    meters.add("loss", torch.tensor(1.0))
    assert meters.step(10, ONE) == {}
    meters.add("loss", torch.tensor(3.0))
    meters.set("lr", 0.1)
    values = meters.step(10, ONE)
    assert values.pop("images/s") > 0
    assert values == {"loss": 2.0, "lr": pytest.approx(0.1)}


def test_values_of_different_counts_have_their_own_mean() -> None:
    """D takes several updates per update of G."""
    meters = Meters(1)
    for value in (1.0, 2.0, 6.0):
        meters.add("D", torch.tensor(value))
    meters.add("G", torch.tensor(5.0))
    values = meters.step(1, ONE)
    assert (values["D"], values["G"]) == (3.0, 5.0)


def test_an_interval_starts_from_nothing() -> None:
    meters = Meters(1)
    for value in (100.0, 1.0):
        meters.add("loss", torch.tensor(value))
        values = meters.step(1, ONE)
    assert values["loss"] == 1.0


def test_the_graph_is_not_kept() -> None:
    meters, x = Meters(1), torch.ones((), requires_grad=True)
    meters.add("loss", 2 * x)
    assert meters.step(1, ONE)["loss"] == 2.0
    assert not any(isinstance(v, torch.Tensor) and v.requires_grad for v in vars(meters).values())


def test_means_are_over_all_ranks() -> None:
    class TwoRanks(SingleDeviceStrategy):
        def reduce(self, tensor: Any, *args: Any, reduce_op: str = "mean", **kwargs: Any) -> Any:
            assert reduce_op == "mean"
            return (tensor + 9.0) / 2  # the other rank measured 9

    meters = Meters(1)
    meters.add("loss", torch.tensor(1.0))
    assert meters.step(1, TwoRanks(torch.device("cpu")))["loss"] == 5.0


def test_pauses_do_not_count_as_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    meters = Meters(every_n_images=200)
    clock[0] = 1.0
    meters.step(100, ONE)
    clock[0] = 51.0  # a picture and a checkpoint
    meters.skip_pause()
    clock[0] = 52.0
    meters.add("loss", torch.tensor(1.0))
    assert meters.step(100, ONE)["images/s"] == pytest.approx(100.0)


def test_a_run_that_goes_on_times_its_own_images(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    before = Meters(every_n_images=200)
    clock[0] = 1.0
    before.step(100, ONE)
    clock[0] = 500.0
    after = Meters(every_n_images=200)
    after.load_state_dict(before.state_dict())
    clock[0] = 520.0  # the rest of the start
    after.skip_pause()
    clock[0] = 521.0
    assert after.step(100, ONE)["images/s"] == pytest.approx(100.0)
