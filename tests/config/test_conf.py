"""Every file under conf/ composes, passes the checks and builds; what shapes a step takes one.

Runs over whatever is there: a new option is tested the moment it exists.
"""

import copy
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import get_class
from omegaconf import DictConfig
from PIL import Image
from torch import Tensor, nn

from gan_lightning.config.build import build_data, build_group, build_module, build_trainer
from gan_lightning.config.checks import problems, unread
from gan_lightning.config.schema import resolved, written
from gan_lightning.data import DataUnavailable, ImageDataModule
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import GENERATOR_FILE, read_generator
from gan_lightning.runs.preflight import check_batch
from gan_lightning.shards.write import Asked, write_shards
from gan_lightning.training.gan import GANModule
from tests.conftest import CONF, compose_config

Compose = Callable[..., DictConfig]
NOT_OPTIONS = {"hydra", "shared"} | {"mode", "search"}  # Hydra's, parts; of other commands
GROUPS = sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name not in NOT_OPTIONS)
# Groups that decide what happens in a step; the others decide what happens around it, and a method
# is chosen by its model.
AROUND = {
    *("callbacks", "data", "debug", "experiment", "hparams_search", "logger", "method", "trainer"),
}
FITTED = {"model=gmm", "model=hmm", "model=naive_bayes"}  # in one pass, not by steps
# One step on the CPU.
ONE_STEP = (
    "data=digits",
    "data.batch_size=8",
    "data.repeat=1",
    "trainer.accelerator=cpu",
    "trainer.devices=1",
    "trainer.precision=32-true",
    "trainer.max_epochs=1",
    "trainer.limit_train_batches=1",
    "log_every_n_images=1",
)
NOTHING_BESIDE = ("callbacks=none", "logger=csv")


def options(*groups: str) -> list[str]:
    """Return GROUP=OPTION for every file of the groups."""
    return [f"{g}={file.stem}" for g in groups for file in sorted((CONF / g).glob("*.yaml"))]


@cache
def default_keys() -> set[str]:
    return set(resolved(compose_config("run_dir=x")))


@pytest.mark.parametrize("option", options(*GROUPS))
def test_option_composes_and_passes_the_checks(option: str, compose: Compose) -> None:
    composed = compose(option)
    config = resolved(composed)
    assert problems(config, written(composed)) == []
    assert unread((), written(composed)) == []
    assert config.keys() == default_keys()


@pytest.mark.parametrize("option", options(*GROUPS))
def test_option_says_what_it_is(option: str) -> None:
    """`--help` readers open the file: its first comment is a name, a paper or a purpose."""
    group, _, name = option.partition("=")
    lines = (CONF / group / f"{name}.yaml").read_text().splitlines()
    assert any(line.startswith("# ") and "@package" not in line for line in lines[:2])


def is_set_data(node: dict[str, Any]) -> bool:
    """Whether a data set is embedded, or on this machine's disk already."""
    if "root" not in node or (Path(node["root"]).exists() and "dataset" not in node):
        return True
    folder = Path(node["root"]) / node["dataset"]
    return bool(os.environ.get("GAN_DATA_DIR")) and any(folder.glob("raw/*-ubyte*"))


def own_data(option: str, folder: Path) -> list[str]:
    """Return the overrides that give a data set of the user's own something to read, or cut one."""
    images = np.random.default_rng(0).integers(0, 256, (100, 20, 20), dtype=np.uint8)
    if option == "data=array":
        np.savez(folder / "images.npz", images=images, labels=np.arange(100) % 3)
        return [f"data.root={folder / 'images.npz'}"]
    if option == "data=image_folder":
        for index, image in enumerate(images):
            (folder / f"class {index % 3}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"class {index % 3}" / f"{index}.png")
        return [f"data.root={folder}"]
    if option == "data=shards":
        pytest.importorskip("litdata")
        own_data("data=image_folder", folder / "images")
        write_shards(Asked(folder / "images", folder / "shards"))
        return [f"data.root={folder / 'shards'}"]
    if option == "data=table":
        rows = [f"{index},{index % 7 / 2},{'ab'[index % 2]}" for index in range(100)]
        (folder / "table.csv").write_text("\n".join(["a,b,y", *rows]))
        return [f"data.root={folder / 'table.csv'}"]
    return ["data.size=500", "data.test_size=100"] if option == "data=stacked_mnist" else []


def without_network(node: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a data set that would have to be fetched be missing instead."""

    def missing(self: ImageDataModule) -> None:
        raise DataUnavailable(f"{self.name} is not here")

    if not is_set_data(node):
        monkeypatch.setattr(get_class(node["_target_"]), "prepare_data", missing)


@pytest.mark.parametrize("option", options("data"))
@pytest.mark.parametrize("resolution", [28, 32])
def test_data_builds(
    option: str,
    resolution: int,
    compose: Compose,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if resolved(compose(option))["data"]["resolution"] == 1:
        resolution = 1  # points
    if option == "data=stacked_mnist" and not is_set_data(resolved(compose("data=mnist"))["data"]):
        pytest.skip("nothing stands in for MNIST here: tests/data/test_stacked.py")
    more = own_data(option, tmp_path)
    config = resolved(compose(option, f"data.resolution={resolution}", *more))
    there = "dataset" not in config["data"] or is_set_data(config["data"])
    without_network(config["data"], monkeypatch)
    before = copy.deepcopy(config)
    data, warning, settings = build_data(config)
    assert config == before, "what was given is not changed"
    assert data.name == settings["data"]["name"] == (option[5:] if there else "digits")
    assert bool(warning) != there
    check_batch(data, world_size=1)
    image, label = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    shape = (config["data"]["batch_size"], config["data"]["channels"], resolution, resolution)
    assert image.shape == shape
    assert set(label.tolist()) <= set(range(config["data"]["num_classes"] or 1))


@pytest.mark.parametrize("option", options("callbacks", "logger", "trainer"))
def test_surroundings_build(
    option: str, compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if option in ("logger=wandb", "logger=mlflow", "logger=trackio"):
        pytest.importorskip(option.removeprefix("logger="))
    if option == "trainer=gpu" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    config = resolved(compose("data=digits", option))
    trainer = build_trainer(config)
    assert len(build_group(config, "logger")) == len(config["logger"])
    names = {type(callback).__name__ for callback in trainer.callbacks}
    wanted = {node["_target_"].rpartition(".")[2] for node in config["callbacks"].values() if node}
    assert wanted <= names


@pytest.mark.parametrize("option", options("experiment", "debug"))
def test_recipe_takes_a_step(option: str, tmp_path: Path, compose: Compose) -> None:
    """The recipe on the embedded digits, cut to one step."""
    without_scores = "callbacks.scores=null"  # of 10,000 samples
    composed = compose(option, *ONE_STEP, without_scores)
    config = resolved(composed)
    assert problems(config, written(composed)) == []
    take_a_step(config, tmp_path)


@pytest.mark.parametrize("option", options("experiment"))
def test_experiments_stop_where_their_data_is_missing(option: str, compose: Compose) -> None:
    assert resolved(compose(option))["data"].get("on_missing", "error") == "error"


@pytest.mark.parametrize(
    "options_of_both",
    [
        ("experiment=ring",),
        ("experiment=grid", "model.num_classes=25"),
        ("experiment=dirac",),
        ("experiment=stacked_mnist",),
        ("data=array", "model.num_classes=3"),
        ("data=image_folder", "data.num_classes=0"),
        ("data=digits", "data.fraction=0.1"),
        ("data=table",),
    ],
    ids=" ".join,
)
def test_data_sets_train_score_and_draw(
    options_of_both: tuple[str, ...], tmp_path: Path, compose: Compose
) -> None:
    """One step with all callbacks, on data sets that are not just more digits."""
    if "experiment=stacked_mnist" in options_of_both and not is_set_data(
        resolved(compose("data=mnist"))["data"]
    ):
        pytest.skip("nothing stands in for MNIST")
    (tmp_path / "data").mkdir()
    option = options_of_both[0].replace("experiment", "data")
    more = own_data(option, tmp_path / "data")
    scores = "callbacks.scores=null" if "=array" in option or "=digits" in option else None
    samples = scores or "callbacks.scores.num_samples=100"
    config = resolved(compose(*options_of_both, *more, *ONE_STEP[1:], samples))
    module = take_a_step(config, tmp_path)
    shape = [config["data"]["channels"], *[config["data"]["resolution"]] * 2]
    assert list(module.generator.image_shape) == shape
    assert len(list((tmp_path / "samples").glob("*.png"))) == 1
    known = {"ring": 8, "grid": 25, "dirac": 1, "stacked_mnist": 1000}.get(config["data"]["name"])
    assert ("score/modes" in module.scores) == bool(known)
    assert module.scores.get("score/modes", 0) <= (known or 0)


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])


def take_a_step(config: dict[str, Any], run_dir: Path) -> GANModule:
    """Train one step, and check that it moved all networks and left a readable generator."""
    data, *_ = build_data(config)
    torch.manual_seed(config["seed"])
    module = build_module(config)
    networks = [network for _, of in module.stepped.values() for network in of]
    before = [weights(network) for network in networks]
    trainer = build_trainer(config)
    trainer.loggers = build_group(config, "logger")
    trainer.fit(module, datamodule=data)
    for network, old in zip(networks, before, strict=True):
        new = weights(network)
        assert new.isfinite().all()
        assert not torch.equal(new, old)
    batches = config.get("d_steps", 1) * config["accumulate"]
    assert module.images_seen == config["data"]["batch_size"] * batches
    generator, metadata, _ = read_generator(run_dir / GENERATOR_FILE)
    y = torch.tensor(metadata.labels[:1] * 2) if metadata.labels else None
    with torch.no_grad():
        images = generator(torch.zeros(2, generator.latent_dim), y)
    assert list(images.shape[1:]) == metadata.image_shape
    assert images.abs().max() <= 1
    return module


def shapes(option: str) -> list[tuple[str, int, int]]:
    """Return (option, resolution, labels): of networks every pair, of others each value."""
    every = [(option, r, k) for r in (28, 32) for k in (0, 10)]
    return every if option.startswith("model=") else [every[1], every[2]]


@pytest.mark.parametrize(
    ("option", "resolution", "num_classes"),
    [
        case
        for option in sorted({*options(*(set(GROUPS) - AROUND))} - FITTED)
        for case in shapes(option)
    ],
)
def test_option_takes_a_step(
    option: str, resolution: int, num_classes: int, compose: Compose, tmp_path: Path
) -> None:
    shape = (f"data.resolution={resolution}", f"model.num_classes={num_classes}")
    config = resolved(compose(option, *ONE_STEP, *NOTHING_BESIDE, *shape))
    loss = config["loss"]["_target_"] if "loss" in config else "builtins.object"
    if not num_classes and getattr(get_class(loss), "uses_classes", False):
        with pytest.raises(UserError, match=r"model\.num_classes must not be 0"):
            build_module(config)
        return
    module = take_a_step(config, tmp_path)
    assert module.generator.image_shape == (1, resolution, resolution)
    assert module.generator.num_classes == num_classes


@pytest.mark.parametrize("num_classes", [0, 10], ids=["unconditional", "conditional"])
@pytest.mark.parametrize("resolution", [28, 32])
def test_settings_of_the_loop_take_a_step(
    resolution: int, num_classes: int, compose: Compose, tmp_path: Path
) -> None:
    shape = (f"data.resolution={resolution}", f"model.num_classes={num_classes}")
    loop = ("d_steps=2", "g_steps=2", "accumulate=2", "optimizer.clip_norm=1")
    module = take_a_step(resolved(compose(*loop, *ONE_STEP, *NOTHING_BESIDE, *shape)), tmp_path)
    assert (module.g_steps, module.accumulate, module.clip_norm) == (2, 2, 1)


@pytest.mark.parametrize("model", sorted(set(options("model")) - FITTED - {"model=toy"}))
def test_model_takes_a_step_on_64_pixels_and_four_channels(
    model: str, compose: Compose, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (16, 4, 64, 64), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    data = ("data=array", f"data.root={tmp_path / 'images.npz'}", "data.channels=4")
    size = ("data.resolution=64", *ONE_STEP[1:])
    config = compose(model, *data, *size, *NOTHING_BESIDE)
    networks = [name for name in ("generator", "discriminator", "encoder") if name in config.model]
    networks = [name for name in networks if "width" in config.model[name]]
    narrow = [f"model.{name}.width=8" for name in networks]
    config = compose(model, *narrow, *data, *size, *NOTHING_BESIDE)
    assert take_a_step(resolved(config), tmp_path).generator.image_shape == (4, 64, 64)


@pytest.mark.parametrize(
    "switch", ["model=dcgan spectral_norm", "model=mlp spectral_norm", "model=mlp label_concat"]
)
def test_switches_of_discriminators_take_a_step(
    switch: str, compose: Compose, tmp_path: Path
) -> None:
    model, name = switch.split()
    chosen = (model, f"model.discriminator.{name}=true")
    module = take_a_step(resolved(compose(*chosen, *ONE_STEP, *NOTHING_BESIDE)), tmp_path)
    assert module.discriminator.num_classes == 10


@pytest.mark.parametrize("model", ["r3gan", "sngan", "stylegan2"])
def test_codes_are_asked_of_models_that_have_them(model: str, compose: Compose) -> None:
    config = resolved(compose("loss=infogan", f"model={model}"))
    with pytest.raises(UserError, match=r"loss\.codes=\[10, 2\].*has \[0, 0\]"):
        build_module(config)


def test_acgans_discriminator_need_not_see_labels(compose: Compose, tmp_path: Path) -> None:
    options = ("loss=acgan", "model.discriminator.num_classes=0")
    module = take_a_step(resolved(compose(*options, *ONE_STEP, *NOTHING_BESIDE)), tmp_path)
    assert (module.generator.num_classes, module.discriminator.num_classes) == (10, 0)


def test_sample_config_composes() -> None:
    config = compose_config("generator=here", name="sample")
    assert (config.generator, config.num_samples, config.label) == ("here", 100, None)
