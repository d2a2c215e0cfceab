"""Bad input and configuration: status 2, one sentence with the key, nothing left behind."""

import os
from pathlib import Path

import pytest
import torch

from gan_lightning.runs.preflight import known_metrics
from gan_lightning.training import GANModule
from tests.conftest import Command
from tests.faults.conftest import SMALL

BAD = [
    (1, ["optimizer.learning_rate=1"], ["learning_rate"]),
    (1, ["data.bach_size=3"], ["data.batch_size"]),
    (2, ["loss=hinj"], ["hinj", "hinge"]),
    (2, ["model=gpt"], ["gpt", "dcgan"]),
    (2, ["data=cifar"], ["cifar", "mnist"]),
    (2, ["loss._target_=nope.Loss"], ["nope.Loss", "No module named 'nope'"]),
    (3, ["optimizer.lr=abc"], ["optimizer.lr=abc"]),
    (4, ["optimizer.lr=-1"], ["optimizer.lr=-1"]),
    (4, ["optimizer.lr=nan"], ["optimizer.lr=nan"]),
    (5, ["trainer.devices="], ["trainer.devices="]),
    (6, ["data.batch_size=0"], ["data.batch_size=0"]),
    (7, ["data.batch_size=99999"], ["data.batch_size=99999", "smaller"]),
    (8, ["model.latent_dim=0"], ["latent_dim=0"]),
    (9, ["constraint=clip", "constraint.limit=-1"], ["constraint.limit=-1 must"]),
    (9, ["penalty.weight=-1"], ["penalty.weight=-1"]),
    (9, ["ema.half_life=-1"], ["ema.half_life=-1"]),
    (10, ["trainer.max_epochs=-5"], ["trainer.max_epochs=-5"]),
    (15, ["seed=-1"], ["seed=-1"]),
    (15, ["seed=4294967296"], ["seed=4294967296"]),
    (22, ["data.classes=[]"], ["data.classes=[]"]),
    (22, ["data.classes=[3,3]"], ["data.classes=[3, 3]"]),
    (22, ["data.classes=[12]"], ["data.classes=[12]"]),
    (27, ["callbacks.checkpoints.every_n_images=0"], ["every_n_images=0"]),
    (10, ["trainer.limit_train_batches=0"], ["trainer.limit_train_batches=0"]),
    (4, ["+optimizer.generator.epz=1"], ["optimizer.generator (torch.optim.Adam)", "'epz'"]),
    (4, ["+optimizer.generator.weight_decay=-1"], ["optimizer.generator", "weight_decay"]),
    (1, ["+ema.halflife=0"], ["ema.half_life"]),
    (22, ["data.validation=2000"], ["data.validation=2000", "1500 images of digits"]),
    (32, ["resume=nowhere"], ["nowhere", "no run is there"]),
    (32, ["resume=auto"], ["hydra.run.dir"]),
]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        pytest.param(overrides, words, marks=pytest.mark.fault(row), id=" ".join(overrides))
        for row, overrides, words in BAD
    ],
)
def test_bad_input_ends_with_2(
    overrides: list[str], words: list[str], command: Command, tmp_path: Path
) -> None:
    where = [] if overrides == ["resume=auto"] else ["hydra.run.dir=run"]
    ended = command(*SMALL, *overrides, *where)
    assert ended.status == 2
    for word in words:
        assert word in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(4)
@pytest.mark.parametrize(
    "where",
    [
        (),
        ("hydra.run.dir=deep/er/run",),
        ("hydra.run.dir=there/run",),
        ("hydra.run.dir=deep/${seed}/run",),
        ("-m", "seed=-1,-2"),
        ("-m", "seed=-1,-2", "hydra.sweep.dir=deep/er"),
    ],
    ids=" ".join,
)
def test_bad_values_leave_no_folder_that_was_not_there(
    where: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    assert command(*where, *SMALL, "optimizer.lr=-1").status == 2
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


@pytest.mark.fault(2)
@pytest.mark.parametrize(
    ("override", "words"),
    [
        *((f"{group}=null", f"{group}=null is no option") for group in ("loss", "experiment")),
        ("+logger=[csv,Null]", "+logger=[csv,Null] is no option"),
        *((f"~{group}", f"{group} is missing: ") for group in ("loss", "data", "ema", "trainer")),
    ],
)
def test_a_group_cannot_be_left_out(
    override: str, words: str, command: Command, tmp_path: Path
) -> None:
    where = () if override == "~data" else SMALL[:1]
    ended = command(*where, override, "hydra.run.dir=run")
    assert ended.status == 2
    assert ended.err.splitlines()[0].startswith(words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(2)
@pytest.mark.parametrize("where", [(), ("hydra.sweep.dir=deep/er",)], ids=["default", "given"])
@pytest.mark.parametrize("wrong", ["loss=hing,hinge", "optimizer.learning_rate=1,2"])
def test_a_misspelt_sweep_leaves_no_folder(
    wrong: str, where: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    ended = command("-m", *where, *SMALL, wrong)
    assert ended.status == 2
    assert "did you mean" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(2)
@pytest.mark.parametrize("there", ["0-seed-0", "multirun.yaml"])
def test_a_misspelt_sweep_leaves_an_earlier_one_alone(
    there: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "sweep" / there).mkdir(parents=True) if there[0] == "0" else None
    (tmp_path / "sweep").mkdir(exist_ok=True)
    (tmp_path / "sweep" / "multirun.yaml").touch()
    assert command("-m", "hydra.sweep.dir=sweep", *SMALL, "loss=hing,hinge").status == 2
    assert (tmp_path / "sweep" / there).exists()


@pytest.mark.fault(1)
def test_an_interpolation_of_nothing(command: Command, tmp_path: Path) -> None:
    ended = command(*SMALL, "optimizer.lr=${nope}", "hydra.run.dir=run")
    assert ended.status == 2
    assert ended.err.startswith("optimizer.lr: Interpolation key 'nope' not found")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(16)
def test_all_that_is_wrong_is_said_before_data_is_fetched(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gan_lightning.runs.train.build_data", lambda _: pytest.fail("data is fetched")
    )
    bad = {
        "loss._target_=nope.X": "loss (nope.X): ",
        "optimizer.schedule.lr=5": "optimizer.schedule.lr=5 ",
        "penalty.every=0": "penalty.every=0 ",
        "+callbacks.samples.colour=1": "callbacks.samples (",
        "+logger.csv.colour=1": "logger.csv (",
        "+data.colour=1": "data (",
        "+trainer.colour=1": "trainer: ",
        "+model.colour=1": "+model.colour=1 ",
    }
    ended = command(*SMALL, *bad, "hydra.run.dir=run")
    assert ended.status == 2
    for words in bad.values():
        assert sum(line.startswith(words) for line in ended.err.splitlines()) == 1, words
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(4)
@pytest.mark.parametrize(
    "wrong", ["data.num_classes=-1", "data.channels=0", "seed=-1", "d_steps=0", "optimizer.lr=0"]
)
def test_a_wrong_value_is_one_sentence_however_many_follow_it(wrong: str, command: Command) -> None:
    ended = command(SMALL[0], "trainer=cpu", wrong, "hydra.run.dir=run")
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert line.startswith(f"{wrong} must be ")


@pytest.mark.fault(1)
def test_what_only_shows_in_the_whole_is_said_early(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gan_lightning.runs.train.build_data", lambda _: pytest.fail("data is fetched")
    )
    beta = "+optimizer.schedule.beta1={_target_: gan_lightning.schedules.Constant, value: 0.5}"
    for overrides, words in (
        (("loss=infogan", "model=sngan"), "loss.codes=[10, 2]"),
        (("optimizer=rmsprop", beta), "optimizer.schedule: beta1, but it has no betas"),
    ):
        ended = command(SMALL[0], *overrides, "trainer=cpu", "hydra.run.dir=run")
        assert ended.status == 2
        assert words in ended.err


@pytest.mark.fault(16)
def test_a_logger_is_not_made_to_try_it(command: Command, tmp_path: Path) -> None:
    """Some open a connection: one a run is enough."""
    own = "+logger.own={_target_: tests.faults.bad.Connecting, log: made}"
    ended = command(*SMALL, own, "trainer.max_epochs=1", "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert (tmp_path / "made").read_text() == "once"


@pytest.mark.fault(1)
def test_a_metric_that_nobody_measures_is_a_warning(command: Command, tmp_path: Path) -> None:
    ended = command(*SMALL, "optimized_metric=loss/g", "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert "WARNING: optimized_metric=loss/g" in ended.out
    assert "did you mean 'loss/G'?" in ended.out
    columns = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {*columns[1:]} <= {*known_metrics(GANModule)}


@pytest.mark.fault(10)
def test_half_precision_of_a_cpu_is_a_warning(command: Command) -> None:
    half = ("trainer.precision=16-mixed", "trainer.max_epochs=0")
    ended = command(*SMALL, *half, "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert ended.out.count("WARNING: trainer.precision=16-mixed") == 1
    assert "bf16-mixed" in ended.out


@pytest.mark.fault(12)
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(command: Command, tmp_path: Path) -> None:
    ended = command(*SMALL, "trainer.accelerator=gpu", "hydra.run.dir=run")
    assert ended.status == 2
    assert "trainer:" in ended.err
    assert "gpu" in ended.err.lower() or "cuda" in ended.err.lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(10)
def test_no_epochs_are_a_warning(command: Command) -> None:
    ended = command(*SMALL, "trainer.max_epochs=0", "hydra.run.dir=run")
    assert ended.status == 0
    assert "WARNING: trainer.max_epochs=0" in ended.out
    assert "sample.py" not in ended.out, "there is no generator to sample"
    assert f"tensorboard --logdir run{os.linesep}" in ended.out


@pytest.mark.fault(11)
def test_more_processes_than_cores_are_a_warning(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    ended = command(*SMALL, "trainer.max_epochs=1", "trainer.devices=2", "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert "trainer.devices=2 processes share 1 cores" in ended.out
