"""Schedules: pure functions of images_seen, and what they do to optimizers and the average."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from torch.optim import SGD, Adam

from gan_lightning.config.build import build_data, build_module, run_images, schedule_over
from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.schedules import Constant, Cosine, Linear, Schedule, scheduled
from gan_lightning.training.ema import AveragedGenerator
from gan_lightning.training.gan import GANModule
from tests.tiny import BATCH, build, fit, weights

Compose = Callable[..., DictConfig]
ADAM = {"lr": 0.01, "betas": (0.0, 0.99)}


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (Constant(0.3), {0: 0.3, 10**9: 0.3}),
        (Linear(1.0, 0.2, images=100), {0: 1.0, 25: 0.8, 50: 0.6, 100: 0.2, 10**9: 0.2}),
        (Cosine(1.0, 0.2, images=100), {0: 1.0, 50: 0.6, 100: 0.2, 10**9: 0.2}),
        (
            Cosine(0.0, 1.0, images=100),
            {25: 0.5 - math.sqrt(0.125), 75: 0.5 + math.sqrt(0.125)},
        ),
        (Linear(1.0, 0.0, images=100, begin=50), {0: 1.0, 50: 1.0, 100: 0.5, 150: 0.0}),
    ],
)
def test_values_by_hand(schedule: Schedule, values: dict[int, float]) -> None:
    for images_seen, value in values.items():
        assert schedule(images_seen) == pytest.approx(value, abs=1e-12)


def test_a_way_needs_a_length() -> None:
    with pytest.raises(ValueError, match="images=0"):
        Linear(1.0, 0.0, images=0)


def test_lr_is_a_factor_and_betas_are_not() -> None:
    half = Linear(1.0, 0.0, images=100)
    values = scheduled(ADAM, {"lr": half, "beta1": half, "beta2": Constant(0.9)}, 50)
    assert values == {"lr": 0.005, "betas": (0.5, 0.9)}
    assert scheduled(ADAM, {"beta2": Constant(0.5)}, 0) == {"betas": (0.0, 0.5)}
    assert scheduled(ADAM, {}, 50) == {}


@pytest.mark.parametrize(("group", "beta"), [(ADAM, 1.0), ({"lr": 0.1}, 0.5)])
def test_impossible_betas_are_refused(group: dict[str, Any], beta: float) -> None:
    with pytest.raises(UserError, match="betas"):
        scheduled(group, {"beta2": Constant(beta)}, 0)


def adam(**schedules: Schedule) -> GANModule:
    make = partial(Adam, lr=0.01, betas=(0.0, 0.99))
    return build(generator_optimizer=make, discriminator_optimizer=make, schedules=schedules)


def test_both_optimizers_follow_images_seen() -> None:
    """Step k runs with the values of the images seen before it, whatever counts optimizer steps."""
    batch = BATCH + 2  # at six images a batch, three times Lightning's global_step is images_seen
    seen: list[tuple[float, float]] = []

    class Spy(GANModule):
        def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
            seen.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][1]))

    module = adam(lr=Linear(1.0, 0.0, 4 * batch), beta2=Linear(0.9, 0.5, 4 * batch))
    module.__class__ = Spy
    fit(module, steps=3, batch=batch)
    expected = [(0.01, 0.9), (0.0075, 0.8), (0.005, 0.7)]
    assert [seen[0::2], seen[1::2]] == [[pytest.approx(e) for e in expected]] * 2


def test_a_run_without_a_schedule_is_one_with_a_constant() -> None:
    plainly, constantly = adam(), adam(lr=Constant(1.0), beta2=Constant(0.99))
    for module in (plainly, constantly):
        fit(module, steps=3)
    assert torch.equal(weights(plainly), weights(constantly))


def test_a_resumed_run_is_where_it_was(tmp_path: Any) -> None:
    def make() -> GANModule:
        return adam(lr=Cosine(1.0, 0.1, 4 * BATCH), beta2=Linear(0.9, 0.5, 4 * BATCH))

    whole, first, second = make(), make(), make()
    fit(whole, max_epochs=4)
    fit(first, max_epochs=2).save_checkpoint(tmp_path / "half.ckpt")
    fit(second, max_epochs=4, ckpt_path=tmp_path / "half.ckpt")
    assert second.images_seen == 4 * BATCH
    assert torch.equal(weights(whole), weights(second))


def test_the_half_life_is_scheduled() -> None:
    network = torch.nn.Linear(1, 1)
    average = AveragedGenerator(network, 1000, 1.0, Linear(0.0, 1.0, images=10_000))  # type: ignore[arg-type]
    assert average.decay(0, 64) == 0.0
    assert average.decay(5000, 64) == pytest.approx(0.5 ** (64 / 500))
    assert average.decay(10**6, 64) == pytest.approx(0.5 ** (64 / 1000))


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("optimizer=adam", []),
        ("optimizer=adam_decay", ["lr"]),
        ("optimizer=r3gan", ["beta2", "lr"]),
    ],
)
def test_options_build_their_schedules(override: str, names: list[str], compose: Compose) -> None:
    module = build_module(resolved(compose("model=mlp", override)))
    assert sorted(module.schedules) == names


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("+optimizer.schedule.weight_decay=1", "weight_decay is none of lr"),
        ("optimizer.schedule.lr=0.5", "lr=0.5 is no schedule"),
        ("optimizer.schedule.lr={_target_:gan_lightning.losses.Hinge}", "no schedule"),
        ("ema.schedule=fast", "ema.schedule=fast is no schedule"),
        ("optimizer.schedule.lr={_target_:gan_lightning.schedules.Linear,start:1}", "missing"),
    ],
)
def test_what_is_no_schedule_is_the_users_error(
    override: str, complaint: str, compose: Compose
) -> None:
    with pytest.raises(UserError, match=complaint):
        build_module(resolved(compose("model=mlp", "optimizer=adam", override)))


def test_betas_of_an_optimizer_without_any_are_the_users_error() -> None:
    module = build(generator_optimizer=partial(SGD, lr=0.1), schedules={"beta2": Constant(0.9)})
    with pytest.raises(UserError, match="no betas"):
        fit(module)


def test_a_way_without_a_length_lasts_the_whole_run() -> None:
    open_ended = Linear(1.0, 0.0, begin=100)
    assert open_ended(10**9) == 1.0
    assert open_ended.over(None)(10**9) == 1.0
    assert open_ended.over(300)(200) == 0.5
    assert Linear(1.0, 0.0, images=100).over(300)(50) == 0.5


@pytest.mark.parametrize(
    ("overrides", "world_size", "images"),
    [
        (["trainer.max_epochs=3"], 1, 3 * 8 * 1500),
        (["trainer.max_epochs=3", "trainer.limit_train_batches=0.5"], 2, 3 * 4 * 1500),
        (["trainer.max_epochs=2", "trainer.limit_train_batches=5"], 2, 2 * 640),
        (["trainer.max_epochs=-1"], 1, None),
    ],
)
def test_the_length_of_a_run(
    overrides: list[str], world_size: int, images: int | None, compose: Compose
) -> None:
    config = resolved(compose("data=digits", *overrides))
    data, *_ = build_data(config)
    assert run_images(config, data, world_size) == images


def test_the_rate_has_fallen_at_the_end_of_the_run(compose: Compose) -> None:
    module = build_module(resolved(compose("model=mlp", "optimizer=adam_decay")))
    schedule_over(module, 1000)
    assert module.schedules["lr"](0) == 1.0
    assert module.schedules["lr"](1000) == pytest.approx(0.01)
