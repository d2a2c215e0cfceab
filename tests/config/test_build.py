"""From a plain config to objects."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from gan_lightning.config.build import (
    SPAWN,
    build_data,
    build_module,
    build_trainer,
    choose_strategy,
)
from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.runs.preflight import check_batch

Compose = Callable[..., DictConfig]


@pytest.mark.parametrize(
    ("trainer", "strategy"),
    [
        ({}, "auto"),
        ({"devices": 2}, SPAWN),
        ({"devices": [0, 1]}, SPAWN),
        ({"devices": [1]}, "auto"),
        ({"devices": "auto"}, "auto"),
        ({"devices": 2, "strategy": "fsdp"}, "fsdp"),
    ],
)
def test_the_strategy_is_chosen_for_the_user(trainer: dict[str, Any], strategy: str) -> None:
    node = {"strategy": "auto", "devices": 1, "accelerator": "cpu"} | trainer
    assert choose_strategy(node) == strategy


def test_auto_devices_are_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    node = {"strategy": "auto", "devices": "auto", "accelerator": "auto"}
    assert choose_strategy(node) == SPAWN


@pytest.mark.parametrize(
    "override", ["trainer.strategy=3", "+trainer.bogus=1", "trainer.max_time=soon"]
)
def test_what_lightning_refuses_is_one_sentence(override: str, compose: Compose) -> None:
    with pytest.raises(UserError, match=r"^trainer: "):
        build_trainer(resolved(compose("data=digits", "trainer=cpu", override)))


@pytest.mark.parametrize("name", ["callbacks.progress_bar", "logger.csv", "logger.tensorboard"])
def test_null_turns_a_part_off(name: str, compose: Compose) -> None:
    with_it = build_trainer(resolved(compose("data=digits", "trainer=cpu")))
    without = build_trainer(resolved(compose("data=digits", "trainer=cpu", f"{name}=null")))
    parts = "callbacks" if name.startswith("callbacks") else "loggers"
    assert len(getattr(without, parts)) == len(getattr(with_it, parts)) - 1
    assert None not in getattr(without, parts)


@pytest.mark.parametrize(
    "override",
    [
        "loss._target_=gan_lightning.losses.Misspelt",
        "penalty._target_=no_such_package.Penalty",
        "+model.generator.colour=red",
    ],
)
def test_a_class_that_cannot_be_made_is_the_users_error(override: str, compose: Compose) -> None:
    with pytest.raises(UserError, match=r"Misspelt|no_such_package|colour"):
        build_module(resolved(compose(override)))


def test_a_batch_larger_than_the_data_is_refused(compose: Compose) -> None:
    config = resolved(compose("data=digits", "data.repeat=1", "data.batch_size=1501"))
    data, _ = build_data(config)
    with pytest.raises(UserError, match=r"data\.batch_size=1501.*1500"):
        check_batch(config, data)


def test_the_seed_decides_the_first_weights(compose: Compose) -> None:
    config, modules = resolved(compose()), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        modules.append(torch.cat([p.flatten() for p in build_module(config).parameters()]))
    assert torch.equal(modules[0], modules[1])
    assert not torch.equal(modules[0], modules[2])


def test_a_key_of_a_callback_that_is_not_there_builds_nothing(
    compose: Compose,
) -> None:
    settings = resolved(compose("data=digits", "callbacks=none", "debug=overfit"))
    names = {type(callback).__name__ for callback in build_trainer(settings).callbacks}
    assert "SampleGrid" not in names


def test_what_a_generator_file_cannot_name_is_trained_without_one(compose: Compose) -> None:
    """A class that is a Generator can be named; a function or another module cannot."""
    shipped, own = "gan_lightning.networks.MLPGenerator", "tests.untrusted.own.OwnGenerator"
    named = {shipped: True, own: True, "torch.nn.Linear": False, "mypkg.Missing": False}
    for target, exported in named.items():
        settings = resolved(compose("data=digits", f"model.generator._target_={target}"))
        names = {type(callback).__name__ for callback in build_trainer(settings).callbacks}
        assert ("GeneratorExport" in names) == exported
