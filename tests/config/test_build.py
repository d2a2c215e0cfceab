"""From a plain config to objects."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment
from lightning.pytorch.strategies import DDPStrategy
from omegaconf import DictConfig

from gan_lightning.config.build import (
    build_data,
    build_group,
    build_module,
    build_trainer,
)
from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.runs.preflight import check_batch, preflight
from gan_lightning.runs.record import Start
from gan_lightning.runs.train import train_in
from gan_lightning.training.base import GenerativeModule
from gan_lightning.training.devices import MeanGradients

Compose = Callable[..., DictConfig]


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Lightning find four GPUs; nothing is put on them before a run."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (8, 0))


def torchrun(monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    """Be the first of so many processes that torchrun started."""
    world = {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    first = {"RANK": 0, "LOCAL_RANK": 0, "GROUP_RANK": 0, "TORCHELASTIC_RUN_ID": "none"}
    for name, value in {**world, **first}.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize(
    ("trainer", "devices"),
    [
        (("trainer=cpu",), 1),
        (("trainer=cpu", "trainer.devices=auto"), 1),
        (("trainer=cpu", "trainer.devices=2"), 2),
        (("trainer=cpu", "trainer.num_nodes=2"), 2),
        (("trainer=gpu", "trainer.devices=[0,1]"), 2),
        (("trainer=gpu", "trainer.devices=[1]"), 1),
        (("trainer.devices=auto",), 4),
        (("trainer.devices=-1", "trainer.num_nodes=2"), 8),
    ],
)
@pytest.mark.usefixtures("four_gpus")
def test_the_trainer_counts_the_devices(
    trainer: tuple[str, ...], devices: int, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: the strategy, the length of the run and the largest batch follow from its number."""
    if nodes := any("num_nodes" in one for one in trainer):
        torchrun(monkeypatch, devices)
    limit = ("trainer.max_epochs=2", "trainer.limit_train_batches=5")
    settings = resolved(compose("data=digits", *limit, *trainer))
    built = build_trainer(settings, [])
    assert built.world_size == devices
    assert isinstance(built.strategy, DDPStrategy) == (devices > 1)
    if isinstance(built.strategy, DDPStrategy):
        assert built.strategy._start_method == ("popen" if nodes else "spawn")
        assert isinstance(built.strategy, MeanGradients)


@pytest.mark.parametrize("name", ["ddp", "ddp_spawn", "ddp_find_unused_parameters_true"])
@pytest.mark.parametrize("devices", [1, 2])
def test_every_name_of_ddp_is_the_one_that_trains_a_gan(
    name: str, devices: int, compose: Compose
) -> None:
    asked = ("trainer=cpu", f"trainer.devices={devices}", f"trainer.strategy={name}")
    strategy = build_trainer(resolved(compose(*asked)), []).strategy
    assert isinstance(strategy, DDPStrategy) == (devices > 1)
    if isinstance(strategy, DDPStrategy):
        assert strategy._start_method == "spawn"
        assert isinstance(strategy, MeanGradients)


def test_another_strategy_of_the_users_is_left_alone(compose: Compose) -> None:
    own = "{_target_: lightning.pytorch.strategies.DDPStrategy, gradient_as_bucket_view: true}"
    asked = ("trainer=cpu", "trainer.devices=2", f"trainer.strategy={own}")
    strategy = build_trainer(resolved(compose(*asked)), []).strategy
    assert strategy._ddp_kwargs == {"gradient_as_bucket_view": True}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("processes", "trainer", "said"),
    [
        (2, "trainer.devices=1", "started 2 processes, and the trainer has 1 devices"),
        (1, "trainer.devices=2", "started 1 processes, and the trainer has 2 devices"),
        (0, "trainer.num_nodes=2", "by torchrun --nnodes 2 --nproc_per_node 1"),
    ],
)
def test_torchrun_and_the_trainer_count_alike(
    processes: int, trainer: str, said: str, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    if processes:
        torchrun(monkeypatch, processes)
    with pytest.raises(UserError, match=said):
        build_trainer(resolved(compose("trainer=cpu", trainer)), [])


def srun(monkeypatch: pytest.MonkeyPatch, **numbers: object) -> None:
    """Be the first of the processes that srun started on two nodes."""
    first = {"STEP_ID": 0, "PROCID": 0, "LOCALID": 0, "NODEID": 0, "NNODES": 2}
    for name, value in {**first, **numbers}.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))


def test_srun_gives_the_ranks_and_its_job_the_requeue(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    srun(monkeypatch, NTASKS=4, NTASKS_PER_NODE=2)
    asked = ("trainer=cpu", "trainer.devices=2", "trainer.num_nodes=2")
    built = build_trainer(resolved(compose(*asked)), [])
    assert built.world_size == 4
    assert isinstance(built.strategy, MeanGradients)
    assert built.strategy._start_method == "popen"
    environment = built.strategy.cluster_environment
    assert isinstance(environment, SLURMEnvironment)
    assert not environment.auto_requeue


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"NTASKS": 4, "NTASKS_PER_NODE": 2}, "srun started 4 .* has 2 devices on .*ntasks-per"),
        ({"NTASKS": 2, "NTASKS_PER_NODE": 1}, "trainer.num_nodes its --nodes"),
        ({"NTASKS": 2}, "by --ntasks-per-node, and --nodes, not --ntasks"),
    ],
)
def test_srun_and_the_trainer_count_alike(
    numbers: dict[str, int], said: str, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    srun(monkeypatch, **numbers)
    with pytest.raises(UserError, match=said):
        build_trainer(resolved(compose("trainer=cpu", "trainer.devices=2")), [])


@pytest.mark.parametrize(
    "numbers",
    [
        {"NTASKS": 1},
        {"NTASKS": 2, "NTASKS_PER_NODE": 2, "JOB_NAME": "bash"},  # srun --pty bash
        {"NTASKS": 2, "NTASKS_PER_NODE": 1, "STEP_ID": ""},  # the job's script itself
    ],
)
def test_where_srun_started_no_others_ranks_are_spawned(
    numbers: dict[str, object], compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    srun(monkeypatch, **numbers)
    if numbers.get("STEP_ID") == "":
        monkeypatch.delenv("SLURM_STEP_ID")
    strategy = build_trainer(resolved(compose("trainer=cpu", "trainer.devices=2")), []).strategy
    assert isinstance(strategy, MeanGradients)
    assert strategy._start_method == "spawn"
    assert isinstance(strategy.cluster_environment, LightningEnvironment)


@pytest.mark.parametrize(
    ("trainer", "devices"),
    [(("trainer=gpu", "trainer.devices=[0,1]"), 2), (("trainer=cpu", "trainer.num_nodes=2"), 2)],
)
@pytest.mark.usefixtures("four_gpus")
def test_the_rate_falls_as_long_as_all_devices_train(
    trainer: tuple[str, ...], devices: int, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An integer `limit_train_batches` counts the batches of each device."""
    if "trainer.num_nodes=2" in trainer:
        torchrun(monkeypatch, devices)
        monkeypatch.setattr("gan_lightning.config.build.in_turn", lambda act: act())
    limit = ("trainer.max_epochs=2", "trainer.limit_train_batches=5", "data.batch_size=64")
    config = compose("data=digits", "model=mlp", *limit, *trainer)
    built = preflight(config)
    fitted: list[GenerativeModule] = []
    monkeypatch.setattr(built.trainer, "fit", lambda module, **_: fitted.append(module))
    train_in(Path(built.settings["run_dir"]), built, None, "", Start("train.py", [], []))
    (module,) = fitted
    assert module.schedules["lr"].images == 2 * 5 * 64 * devices


@pytest.mark.parametrize(
    "override", ["trainer.strategy=3", "+trainer.bogus=1", "trainer.max_time=soon"]
)
def test_what_lightning_refuses_is_one_sentence(override: str, compose: Compose) -> None:
    with pytest.raises(UserError, match=r"^trainer: "):
        build_trainer(resolved(compose("data=digits", "trainer=cpu", override)))


@pytest.mark.parametrize("name", ["callbacks.progress_bar", "logger.csv", "logger.tensorboard"])
def test_null_turns_a_part_off(name: str, compose: Compose) -> None:
    group = name.partition(".")[0]
    with_it = build_group(resolved(compose("data=digits", "trainer=cpu")), group)
    without = build_group(resolved(compose("data=digits", "trainer=cpu", f"{name}=null")), group)
    assert len(without) == len(with_it) - 1
    assert None not in without


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
    data, *_ = build_data(config)
    with pytest.raises(UserError, match=r"data\.batch_size=1501.*1500"):
        check_batch(data, world_size=1)


def test_a_batch_of_all_devices_is_looked_at(compose: Compose) -> None:
    config = resolved(compose("data=digits", "data.repeat=1", "data.batch_size=1000"))
    data, *_ = build_data(config)
    check_batch(data, world_size=1)
    with pytest.raises(UserError, match=r"data\.batch_size=1000.*a step of 2000.*1500"):
        check_batch(data, world_size=2)


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
