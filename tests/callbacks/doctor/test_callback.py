"""The collapse doctor on runs that are broken on purpose, and on healthy ones."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from gan_lightning.callbacks import CollapseDoctor
from gan_lightning.callbacks.doctor.diagnosis import Vitals, diagnose
from gan_lightning.callbacks.doctor.measure import choose_panel, measure
from gan_lightning.callbacks.doctor.rules import RULES
from gan_lightning.config.build import build_data, build_group, build_module, build_trainer
from gan_lightning.config.schema import resolved
from gan_lightning.data import DigitsDataModule, ImageDataModule
from gan_lightning.losses import (
    ACGAN,
    Hinge,
    InfoGAN,
    Loss,
    Minimax,
    MultiHinge,
    NonSaturating,
    RelativisticPaired,
    TopK,
    Wasserstein,
)
from gan_lightning.networks import Generator
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.sampling.draw import sample
from gan_lightning.schedules import Constant
from gan_lightning.training.ema import AveragedGenerator
from gan_lightning.training.gan import GANModule

Compose = Callable[..., DictConfig]
TINY = (
    "data=digits",
    "data.repeat=1",
    "data.batch_size=16",
    "model=mlp",
    "model.generator.hidden=[32]",
    "model.discriminator.hidden=[64]",
    "trainer=cpu",
    "trainer.limit_train_batches=10",
    "trainer.max_epochs=5",
    "log_every_n_images=64",
    "callbacks.progress_bar=null",
    "callbacks.scores=null",
    "callbacks.samples=null",
    "callbacks.checkpoints=null",
    "callbacks.doctor.num_images=200",
    "callbacks.doctor.warm_up=0",
    "logger=tensorboard",
)
WARM = "callbacks.doctor.warm_up=1500"  # of the small runs here; 10,000 by default
D_WINS = ("penalty=none", "optimizer.discriminator.lr=1e-2", "optimizer.generator.lr=1e-7")


class Broken(Generator):
    """Returns images of the digits: of the given classes, and as many as there are codes."""

    def __init__(self, data: ImageDataModule, codes: int, leave_out: int = -1, conditional=False):
        super().__init__(8, [1, 28, 28], 10 if conditional else 0)
        keep = data.images.labels != leave_out
        images, labels = data.images.images[keep], data.images.labels[keep]
        if conditional:  # the first image of each label, whatever the latent
            images = torch.stack([images[labels == y][0] for y in range(10)])
        self.images, self.codes = to_unit_range(images), codes
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        code = (z[:, 0].double() * 1e6).long().abs() % self.codes  # uniform enough
        chosen = self.images[code if y is None else y]
        return chosen + 0 * self.weight


class NearestClass(Callback):
    """Scores as LiveScores does, with the label of the nearest real as the class."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, GANModule)
        images: ImageDataModule = trainer.datamodule  # type: ignore[attr-defined]
        reals = images.split(train=True)
        fakes = to_uint8(sample(pl_module.average.generator, 300)[0]).float().flatten(1)
        nearest = torch.cdist(fakes, reals.images.float().flatten(1)).argmin(dim=1)
        shares = reals.labels[nearest].bincount(minlength=10) / len(fakes)
        pl_module.scores = {"score/min_class_share": shares.min().item()}


def run(
    compose: Compose, *overrides: str, broken: dict[str, Any] | None = None, **more: Any
) -> tuple[GANModule, Trainer]:
    """Train with the doctor; `broken` are arguments of a broken generator."""
    settings = resolved(compose(*TINY, *overrides))
    data, *_ = build_data(settings)
    torch.manual_seed(0)
    module = build_module(settings)
    if broken:
        module.generator = Broken(data, **broken)
        module.average = AveragedGenerator(module.generator, 0.0)
    trainer = build_trainer(settings)
    trainer.loggers = build_group(settings, "logger")
    trainer.callbacks[:0] = more.get("before", [])
    trainer.callbacks = [c for c in trainer.callbacks if type(c).__name__ != "GeneratorExport"]
    trainer.fit(module, datamodule=data, ckpt_path=more.get("ckpt_path"), weights_only=True)
    return module, trainer


def said(folder: Path) -> list[str]:
    file = folder / "run.log"
    return (
        [line.partition("doctor: ")[2] for line in file.read_text().splitlines()]
        if file.exists()
        else []
    )


def test_a_discriminator_far_too_strong(
    compose: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, trainer = run(compose, *D_WINS)
    (words,) = said(tmp_path)
    assert words.startswith("D wins: D(fake)=")
    assert words.endswith(" for 3 epochs; try penalty=r1 or optimizer.discriminator.lr=0.001")
    assert f"doctor: {words}" in capsys.readouterr().out
    for logger in trainer.loggers:
        logger.finalize("success")
    events = EventAccumulator(str(tmp_path)).Reload()
    (text,) = events.Tensors("doctor/text_summary")
    assert text.tensor_proto.string_val[0].decode() == words
    assert text.step == module.images_seen * 4 // 5  # the end of the fourth epoch


def test_a_constant_generator(compose: Compose, tmp_path: Path) -> None:
    run(compose, broken={"codes": 1})
    assert [w for w in said(tmp_path) if w.startswith("The generator is constant: two fakes")]
    assert not [w for w in said(tmp_path) if w.startswith("Mode collapse")]  # said better


def test_a_generator_that_ignores_its_latent(compose: Compose, tmp_path: Path) -> None:
    run(compose, "model.num_classes=10", broken={"codes": 1, "conditional": True})
    assert [w for w in said(tmp_path) if w.startswith("The generator ignores its latent")]


def test_a_generator_of_a_few_images(compose: Compose, tmp_path: Path) -> None:
    run(compose, broken={"codes": 20})
    (words,) = (w for w in said(tmp_path) if w.startswith("Mode collapse: 100%"))
    estimate = int(words.split(" different images")[0].split()[-1])
    assert 14 <= estimate <= 26


@pytest.mark.parametrize(("leave_out", "missing"), [(3, True), (-1, False)])
def test_a_dropped_class(compose: Compose, tmp_path: Path, leave_out: int, missing: bool) -> None:
    run(compose, broken={"codes": 1300, "leave_out": leave_out}, before=[NearestClass()])
    found = [w for w in said(tmp_path) if w.startswith("A class is missing: the rarest of 10")]
    assert len(found) == missing
    assert not [w for w in said(tmp_path) if "Mode collapse" in w or "generator" in w.split(";")[0]]


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        # At R1's default weight D is at the threshold after these few images.
        ("loss=hinge", "penalty.weight=1", "model.num_classes=10"),
        ("loss=wasserstein", "penalty=wgan_gp"),
        ("loss=rpgan", "penalty=r1r2"),
    ],
    ids=["default", "hinge", "wasserstein", "rpgan"],
)
def test_silent_on_healthy_runs(
    overrides: tuple[str, ...], compose: Compose, tmp_path: Path
) -> None:
    usual = (WARM, "data.batch_size=64", "trainer.limit_train_batches=23", "trainer.max_epochs=7")
    run(compose, *usual, *overrides)
    assert said(tmp_path) == []


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_silent_on_a_small_dcgan(
    data: str, compose: Compose, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if data == "mnist":
        request.getfixturevalue("mnist_root")
    sizes = (
        WARM,
        "model.num_classes=0",
        "model.generator.width=4",
        "model.discriminator.width=8",
        "data.batch_size=32",
        f"data.fraction={0.05 if data == 'mnist' else 1}",
    )
    base = tuple(o for o in TINY if not o.startswith(("model", "data")))
    settings = resolved(
        compose(*base, f"data={data}", "model=dcgan", *sizes, "trainer.max_epochs=6")
    )
    images, *_ = build_data(settings)
    torch.manual_seed(0)
    trainer = build_trainer(
        settings | {"trainer": settings["trainer"] | {"limit_train_batches": 20}}
    )
    trainer.fit(build_module(settings), datamodule=images)
    assert said(tmp_path) == []


@pytest.mark.slow
def test_silent_on_digits_with_all_defaults(compose: Compose, tmp_path: Path) -> None:
    settings = resolved(
        compose("data=digits", "trainer=cpu", "callbacks.scores=null", "trainer.max_epochs=6")
    )
    images, *_ = build_data(settings)
    torch.manual_seed(0)
    build_trainer(settings).fit(build_module(settings), datamodule=images)
    assert said(tmp_path) == []


def test_it_changes_nothing(compose: Compose) -> None:
    """Weights, BatchNorm statistics and the global random state are those without a doctor."""
    ends = []
    for doctor in (["penalty=dragan"], ["penalty=dragan", "callbacks.doctor=null"]):
        short = ("trainer.max_epochs=3", "trainer.limit_train_batches=4")
        overrides = [o for o in TINY if "doctor" not in o or doctor[1:] == []]
        settings = resolved(compose(*overrides, *short, *doctor))
        data, *_ = build_data(settings)
        torch.manual_seed(0)
        module = build_module(settings)
        build_trainer(settings).fit(module, datamodule=data)
        tensors = {k: v for k, v in module.state_dict().items() if isinstance(v, Tensor)}
        ends.append((tensors, torch.get_rng_state(), module.generator.training))
    (one, state, training), (other, same, still) = ends
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(state, same)
    assert training == still


def test_streaks_survive_a_resume(compose: Compose, tmp_path: Path) -> None:
    on = tuple(o for o in TINY if "checkpoints" not in o)
    for epochs in (3, 4, 5):
        settings = resolved(compose(*on, *D_WINS, f"trainer.max_epochs={epochs}"))
        data, *_ = build_data(settings)
        torch.manual_seed(0)
        last = tmp_path / "checkpoints" / "last.ckpt"
        build_trainer(settings).fit(
            build_module(settings),
            datamodule=data,
            ckpt_path=last if last.exists() else None,
            weights_only=True,
        )
        assert len(said(tmp_path)) == (epochs > 3)
    assert " for 3 epochs" in said(tmp_path)[0]


def test_only_the_first_process_measures(tmp_path: Path) -> None:
    data = DigitsDataModule(name="digits")
    doctor = CollapseDoctor(str(tmp_path / "run.log"))
    module = GANModule.__new__(GANModule)
    trainer: Any = SimpleNamespace(is_global_zero=False, datamodule=data)
    doctor.on_fit_start(trainer, module)  # a module without networks: measuring would raise
    doctor.on_train_epoch_end(trainer, module)
    assert not (tmp_path / "run.log").exists()


def test_held_out_reals_are_the_validation_set_or_the_test_split(compose: Compose) -> None:
    for validation, expected in ((0, "test"), (50, "validation")):
        settings = resolved(compose(*TINY, f"data.validation={validation}"))
        data, *_ = build_data(settings)
        panel = choose_panel(build_module(settings), data, 60)
        held_out = data.validation_set if validation else data.split(train=False)
        assert held_out is not None
        known = {image.numpy().tobytes() for image in held_out.images}
        assert {to_uint8(image).numpy().tobytes() for image in panel.held_out} <= known, expected
        assert len(panel.real) == 60
        assert len(panel.held_out) == (50 if validation else 60)


def test_reals_measured_as_fakes_are_as_varied_as_reals(compose: Compose) -> None:
    """A generator of training images: all ratios are 1, and 1 % or few more have a twin."""
    module, trainer = run(compose, "trainer.max_epochs=1", broken={"codes": 1500})
    panel = choose_panel(module, trainer.datamodule, 200)  # type: ignore[attr-defined]
    vitals = measure(module, panel)
    assert vitals.diversity == pytest.approx(1, abs=0.1)
    assert vitals.latent == pytest.approx(1, abs=0.1)
    assert vitals.grey == pytest.approx(1, abs=0.1)
    assert vitals.twins < 0.25  # 200 of 1,500 with replacement: some images come twice


@pytest.mark.parametrize(
    ("loss", "belief"),
    [
        (NonSaturating(), "probability"),
        (ACGAN(NonSaturating()), "probability"),
        (InfoGAN(Minimax(), codes=(0, 0)), "probability"),
        (TopK(NonSaturating(), Constant(1.0)), "probability"),
        (ACGAN(TopK(NonSaturating(), Constant(1.0))), "probability"),
        (MultiHinge(Hinge()), "margin"),
        (TopK(RelativisticPaired(), Constant(1.0)), "pairs"),
        (ACGAN(Wasserstein()), "score"),
    ],
)
def test_a_wrapped_loss_is_told_d_wins_in_the_terms_of_what_it_wraps(
    loss: Loss, belief: str
) -> None:
    """Of ACGAN, InfoGAN and top-k "D wins" could never be said, and the advice was WGAN-GP."""
    assert loss.logits_mean == belief
    vitals = Vitals(belief=loss.logits_mean, d_fake=0.001, d_real=0.99, penalty=1.0)
    found = {finding.name: finding for finding in diagnose(vitals, RULES)}
    assert ("D wins" in found) == (belief == "probability")
    assert all("wgan_gp" not in word for finding in found.values() for word in finding.advice)


def test_a_loss_with_a_head_stands_outside_of_top_k() -> None:
    with pytest.raises(ValueError, match="inside ACGAN"):
        TopK(ACGAN(NonSaturating()), Constant(1.0))
