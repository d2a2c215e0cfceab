"""Another way of training than a GAN: a class and a line of YAML, and no edit of config/."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from gan_lightning.config.build import build_module
from gan_lightning.config.checks import problems, unread
from gan_lightning.config.schema import resolved, written
from gan_lightning.errors import UserError
from gan_lightning.networks import Generator
from gan_lightning.ranges import Positive, Share, validated
from gan_lightning.runs.preflight import preflight
from gan_lightning.training.base import Batch, GenerativeModule, OptimizerFactory
from tests.conftest import Command
from tests.faults.conftest import SMALL

Compose = Callable[..., DictConfig]
METHOD = f"method._target_={__name__}.Nearest"


@validated
class Nearest(GenerativeModule):
    """Draws every fake towards the real beside it."""

    made_of: ClassVar[dict[str, str]] = GenerativeModule.made_of | {
        "optimizer": "optimizer.generator",
        "momentum": "optimizer.momentum",
    }
    curves: ClassVar[tuple[str, ...]] = ("loss", *GenerativeModule.curves)

    def __init__(
        self,
        generator: Generator,
        optimizer: OptimizerFactory,
        momentum: Share = 0.0,
        power: Positive = 2.0,
        **shared: object,
    ) -> None:
        super().__init__(generator, {"G": (optimizer, [generator])}, **shared)  # type: ignore[arg-type]
        self.power = power

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        self.begin_step()
        self.update("G", self.distance, *batch)
        self.end_step(len(batch[0]))

    def distance(self, real: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        y = y if self.generator.num_classes else None  # type: ignore[assignment]
        loss = (self.generator(z, y) - real).abs().pow(self.power).mean()
        return loss, {"loss": loss}


def complaints(config: DictConfig, *overrides: str) -> list[str]:
    return problems(resolved(config), written(config)) + unread(overrides, written(config))


def test_it_is_made_of_its_own_parts_alone(compose: Compose) -> None:
    built = preflight(compose("data=digits", "trainer=cpu", METHOD, "+method.power=3"))
    assert isinstance(built.module, Nearest)
    assert built.module.power == 3
    assert built.module.schedules.keys() == {"lr"}
    assert list(built.settings["model"]) == ["num_classes", "clusters", "latent_dim", "generator"]
    gone = {"loss", "penalty", "constraint", "augment", "d_steps", "g_steps"}
    assert not gone & built.settings.keys()
    assert "discriminator" not in built.settings["optimizer"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("loss=hinge", "loss=hinge is read by nothing: Nearest has no loss: leave it out"),
        ("penalty.weight=3", "penalty.weight=3 is read by nothing: Nearest has no penalty"),
        ("d_steps=2", "d_steps=2 is read by nothing: Nearest has no d_steps"),
        ("optimizer.discriminator.lr=1e-4", "Nearest has no optimizer.discriminator"),
        ("+optimizer.momentun=0.5", "(did you mean 'optimizer.momentum'?)"),
        ("+optimizer.momentum=5", "optimizer.momentum=5 must be a number at least 0 and at most 1"),
        ("+method.power=0", "method.power=0 must be a number above 0"),
        ("log_every_n_images=0", "log_every_n_images=0 must be a whole number"),
    ],
)
def test_what_it_does_not_have_is_said(override: str, words: str, compose: Compose) -> None:
    (found,) = complaints(compose(METHOD, override), override)
    assert words in found


@pytest.mark.parametrize("override", ["ema=none", "optimizer=ttur", "optimizer.lr=1e-4"])
def test_what_it_has_can_be_chosen(override: str, compose: Compose) -> None:
    assert complaints(compose(METHOD, override), override) == []


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["method._target_=nope.VAE"], "method._target_=nope.VAE: "),
        (["method._target_=torch.nn.Linear"], "says what it is `made_of`"),
        (["+method.bogus=1"], "method (gan_lightning.training.GANModule): .*'bogus'"),
        (["~model.discriminator"], "model.discriminator is missing: GANModule needs it"),
        (["model.discriminator=3"], "model.discriminator=3 is no part"),
    ],
)
def test_a_method_that_cannot_be_built_is_the_users_error(
    overrides: list[str], words: str, compose: Compose
) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(").replace(")", r"\)")):
        preflight(compose("data=digits", "trainer=cpu", *overrides), overrides)


def test_it_trains_from_the_command_line_and_goes_on(command: Command, tmp_path: Path) -> None:
    short = (*SMALL[:1], METHOD, "debug=fast", "hydra.run.dir=run", "callbacks.doctor=null")
    ended = command(*short, "trainer.max_epochs=1")
    assert ended.status == 0, ended.err
    assert "discriminator" not in ended.out
    saved = OmegaConf.load(tmp_path / "run" / "config.yaml")
    assert "loss" not in saved
    assert (tmp_path / "run" / "generator.safetensors").exists()
    ended = command("resume=run", "trainer.max_epochs=2")
    assert ended.status == 0, ended.err
    ended = command("resume=run", "loss=hinge", "trainer.max_epochs=3")
    assert ended.status == 2
    assert "loss=hinge is read by nothing: Nearest has no loss" in ended.err


def test_a_run_made_before_there_was_a_choice_is_a_gan(compose: Compose) -> None:
    settings = resolved(compose("model=mlp"))
    modules = []
    for config in (settings, {k: v for k, v in settings.items() if k != "method"}):
        torch.manual_seed(0)
        modules.append(build_module(config))
    assert [type(module).__name__ for module in modules] == ["GANModule", "GANModule"]
    one, other = (torch.cat([p.flatten() for p in m.parameters()]) for m in modules)
    assert torch.equal(one, other)
