"""Densities fitted by train.py: one pass, and all that a GAN's run leaves."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning import Callback, Trainer
from omegaconf import DictConfig, OmegaConf

import evaluate
import sample
from gan_lightning.config.build import build_data, build_module, build_trainer
from gan_lightning.config.schema import resolved
from gan_lightning.data import DigitsDataModule
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import load_generator
from gan_lightning.networks import Density, MLPGenerator, NaiveBayes
from gan_lightning.runs.preflight import preflight
from gan_lightning.system.signals import SIGNALS
from gan_lightning.training import FitModule
from tests.conftest import Command

Compose = Callable[..., DictConfig]
MODELS = ("naive_bayes", "gmm", "hmm")
QUICK = {"hmm": ("model.generator.images=40", "model.generator.iterations=1")}
SMALL = (
    *("data=digits", "trainer=cpu", "data.batch_size=300", "callbacks.progress_bar=null"),
    *("callbacks.scores.num_samples=200", "callbacks.scores.neighbours=50"),
)


class Stop(Callback):
    """Asks a run to end at its third batch, as SIGTERM does."""

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if args[-1] == 2:
            SIGNALS.status = 143


def curve(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


@pytest.mark.parametrize("model", MODELS)
def test_a_run_leaves_all_that_a_gans_does(model: str, command: Command, tmp_path: Path) -> None:
    ended = command(f"model={model}", *SMALL, *QUICK.get(model, ()), "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert "one pass over the images" in ended.out
    assert "accuracy/bayes=0." in ended.out
    run = tmp_path / "run"
    assert len(list((run / "samples").glob("*.png"))) == 1
    assert not (run / "run.log").exists(), "the doctor has nothing to say"
    saved = OmegaConf.load(run / "config.yaml")
    assert saved.trainer.max_epochs == 1
    assert not {"loss", "penalty", "augment", "optimizer", "ema", "d_steps"} & set(saved)

    assert len(curve(run, "score/fid")) == 1
    (train,), (held_out,) = curve(run, "log_p(train)"), curve(run, "log_p(held-out)")
    density, data = load_generator(run), DigitsDataModule(name="digits")
    assert isinstance(density, Density)
    for train_split, value in ((True, train), (False, held_out)):
        batch = data.split(train_split)[torch.arange(1500 if train_split else 297)]
        x, y = data.on_after_batch_transfer(batch, 0)
        assert density.log_prob(x, y).mean().item() / 784 == pytest.approx(value, rel=1e-4)
    (accuracy,) = curve(run, "accuracy/bayes")
    assert (density.classify(x) == y).float().mean().item() == pytest.approx(accuracy)

    ended = command("generator=run", "num_samples=20", "label=3", "output=x.png", script=sample)
    assert ended.status == 0, ended.err
    assert (tmp_path / "x.png").exists()
    if model == "gmm":  # the slowest step, and the same for all
        ended = command("generator=run", "num_samples=100", "output=scores.json", script=evaluate)
        assert ended.status == 0, ended.err
        assert "fid" in (tmp_path / "scores.json").read_text()
    ended = command(f"resume={run}")
    assert ended.status == 0, ended.err
    assert "already complete: 1 of 1 epochs" in ended.out
    assert "raise trainer.max_epochs" not in ended.out


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["loss=hinge"], "loss=hinge is read by nothing: FitModule has no loss: leave it out"),
        (["penalty=r1"], "penalty=r1 is read by nothing: FitModule has no penalty"),
        (["augment=ada"], "augment=ada is read by nothing: FitModule has no augment"),
        (["optimizer.lr=1"], "optimizer.lr=1 is read by nothing: FitModule has no optimizer"),
        (["ema=none"], "ema=none is read by nothing: FitModule has no ema"),
        (["trainer.max_epochs=5"], "trainer.max_epochs=5: with FitModule it is always 1"),
        (["trainer.max_time=00:00:01:00"], "with FitModule it is always null: leave it out"),
        (["trainer.devices=2"], "trainer.devices=2: FitModule works on one: leave it out"),
        (["model.generator.levels=1"], "must be a whole number at least 2 and at most 256"),
        (["+model.latent_dim=3"], "model.latent_dim=3 is read by nothing"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_it_does_not_have_is_refused(
    overrides: list[str], words: str, compose: Compose
) -> None:
    config = compose("data=digits", "trainer=cpu", "model=naive_bayes", *overrides)
    with pytest.raises(UserError) as raised:
        preflight(config, overrides)
    (sentence,) = str(raised.value).splitlines()
    assert words in sentence


def test_status_2_says_so_on_the_command_line(command: Command) -> None:
    ended = command("model=gmm", *SMALL, "loss=hinge")
    assert ended.status == 2
    assert "loss=hinge is read by nothing: FitModule has no loss: leave it out" in ended.err


def test_a_recipes_epochs_are_no_request(compose: Compose) -> None:
    built = preflight(compose("experiment=quickstart", "trainer=cpu", "model=naive_bayes"))
    assert built.trainer.max_epochs == built.settings["trainer"]["max_epochs"] == 1
    built = preflight(
        compose("data=digits", "trainer=cpu", "model=gmm", "trainer.max_epochs=1"),
        ["trainer.max_epochs=1"],
    )
    assert isinstance(built.module, FitModule)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model=mlp", "method=fit"], "model.generator=MLPGenerator is none: choose model=naive"),
        (["model=gmm", "method=gan"], "model.discriminator is missing"),
    ],
)
def test_a_model_and_a_method_that_do_not_fit(
    overrides: list[str], words: str, compose: Compose
) -> None:
    with pytest.raises(UserError, match=words):
        preflight(compose("data=digits", "trainer=cpu", *overrides), ())


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NaiveBayes, "needs", "no_such_library")
    with pytest.raises(UserError, match=r"fitted by no_such_library, .*'\.\[lecture\]'"):
        FitModule(NaiveBayes([1, 4, 4]))
    with pytest.raises(UserError, match="fits densities"):
        FitModule(MLPGenerator(4, [1, 4, 4]))


def test_a_run_that_goes_on_within_its_pass_fits_the_same(command: Command, tmp_path: Path) -> None:
    """As after a signal: what it saw before is in no checkpoint, and is read again."""
    run = ("model=naive_bayes", *SMALL, "callbacks.scores=null", "data.repeat=2")
    assert command(*run, "hydra.run.dir=whole").status == 0
    stop = "+callbacks.stop={_target_: tests.training.test_fit.Stop}"
    ended = command(*run, stop, "hydra.run.dir=parts")
    assert ended.status == 143, ended.err
    assert not (tmp_path / "parts" / "generator.safetensors").exists()
    ended = command("resume=parts", "+callbacks.stop=null")
    assert ended.status == 0, ended.err
    one, other = (load_generator(tmp_path / name).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["prior"].sum() == 1
    assert curve(tmp_path / "parts", "images_seen")[-1] == 3000


def test_a_signal_ends_it_between_two_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    module = FitModule(NaiveBayes([1, 4, 4], 3))
    module._trainer = SimpleNamespace(progress_bar_callback=None)  # type: ignore[assignment]
    labels = module.bar(range(3))
    assert next(labels) == 0  # type: ignore[call-overload]
    monkeypatch.setattr(SIGNALS, "status", 143)
    with pytest.raises(SystemExit) as ended:
        next(labels)  # type: ignore[call-overload]
    assert ended.value.code == 143


def test_without_labels_there_is_no_accuracy(compose: Compose, tmp_path: Path) -> None:
    settings = resolved(compose("model=gmm", "model.num_classes=0", *SMALL[:3], "callbacks=none"))
    settings["trainer"]["max_epochs"] = 1
    data, *_ = build_data(settings)
    module, trainer = build_module(settings), build_trainer(settings)
    trainer.fit(module, datamodule=data)
    assert isinstance(module, FitModule)
    x, y = data.on_after_batch_transfer(data.images[torch.arange(1500)], 0)
    curves = module.measured(module.density, data, x, y)
    assert curves.keys() == {"log_p(train)", "log_p(held-out)"}
    assert all(math.isfinite(value) for value in curves.values())
