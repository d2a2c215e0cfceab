"""Names, types and checks of the configuration, and what a resumed run keeps of it."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf, open_dict

from gan_lightning.config.checks import nearest, problems, unread
from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.runs.resume import resume_config
from tests.conftest import compose_config

Compose = Callable[..., DictConfig]


def wrong(config: DictConfig) -> list[str]:
    return problems(resolved(config))


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("optimizer.lr=0", "optimizer.lr"),
        ("optimizer.lr=.nan", "optimizer.lr"),
        ("optimizer.lr=fast", "optimizer.lr"),
        ("penalty.weight=-1", "penalty.weight"),
        ("data.batch_size=0", "data.batch_size"),
        ("data.batch_size=2.5", "data.batch_size"),
        ("data.batch_size=true", "data.batch_size"),
        ("data.resolution=30", "data.resolution"),
        ("data.classes=[]", "data.classes"),
        ("data.classes=[3,3]", "data.classes"),
        ("data.classes=[3,12]", "data.classes"),
        ("data.on_missing=shrug", "data.on_missing"),
        ("data.validation=-5", "data.validation"),
        ("model.num_classes=5", "model.num_classes"),
        ("model.latent_dim=0", "model.latent_dim"),
        ("ema.half_life=-1", "ema.half_life"),
        ("trainer.devices=0", "trainer.devices"),
        ("trainer.max_epochs=1.5", "trainer.max_epochs"),
        ("trainer.max_time=5", "trainer.max_time"),
        ("trainer.max_time=1h", "trainer.max_time"),
        ("trainer.max_time=0:1:2:3", "trainer.max_time"),
        ("trainer.accelerator=gpuu", "trainer.accelerator"),
        ("seed=-1", "seed"),
        ("d_steps=0", "d_steps"),
        ("trainer.limit_train_batches=abc", "trainer.limit_train_batches"),
        ("trainer.limit_train_batches=0", "trainer.limit_train_batches"),
        ("trainer.limit_train_batches=1.5", "trainer.limit_train_batches"),
        ("trainer.precision=64-true", "trainer.precision"),
        ("+trainer.gradient_clip_val=1", "optimizer.clip_norm"),
        ("+trainer.accumulate_grad_batches=2", "set accumulate"),
        ("+optimizer.generator.eps=-1", "optimizer.generator.eps"),
        ("optimizer.discriminator.fused=7", "optimizer.discriminator.fused"),
        ("penalty.every=0", "penalty.every"),
        ("callbacks.doctor.num_images=1", "callbacks.doctor.num_images"),
        ("callbacks.doctor.warm_up=abc", "callbacks.doctor.warm_up"),
        ("callbacks.scores.num_samples=1", "callbacks.scores.num_samples"),
        ("callbacks.scores.neighbours=0", "callbacks.scores.neighbours"),
        ("+callbacks.samples.columns=0", "callbacks.samples.columns"),
    ],
)
def test_a_bad_value_is_named_with_its_key(override: str, key: str, compose: Compose) -> None:
    assert key in "\n".join(wrong(compose(override)))


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("augment=ada", "augment.target=abc"), "augment.target"),
        (("augment=ada", "augment.images=null"), "augment.images=null"),
        (("augment=ada", "augment.probability=2"), "augment.probability"),
        (("penalty=lecam", "penalty.decay=5"), "penalty.decay"),
        (("optimizer=r3gan", "optimizer.schedule.beta2.end=2"), "optimizer.schedule.beta2.end"),
        (("loss=nonsaturating_smooth", "loss.smoothing=3"), "loss.smoothing"),
        (("loss=nonsaturating_topk", "loss.share.start=5"), "loss.share.start"),
        (("loss=lsgan", "loss.a=x"), "loss.a"),
        (("penalty=wgan_div", "penalty.power=-4"), "penalty.power"),
        (("model=stylegan2", "model.generator.style_mixing=7"), "model.generator.style_mixing"),
        (("model=r3gan", "model.generator.blocks=-3"), "model.generator.blocks"),
        (("model=mlp", "model.generator.hidden=[8,0]"), "model.generator.hidden"),
        (("model=sngan", "model.discriminator.spectral_norm=x"), "model.discriminator.spectral"),
    ],
)
def test_a_bad_value_of_an_option_is_named_too(
    overrides: tuple[str, ...], key: str, compose: Compose
) -> None:
    assert wrong(compose(*overrides))[0].startswith(key)


def test_words_of_our_options_may_mean_something_else_to_others(compose: Compose) -> None:
    own = ("loss._target_=own.L", "+loss.scale=[0.8,1]", "+loss.a=null", "+loss.flips=0.5")
    network = ("model.discriminator._target_=own.D", "+model.discriminator.hidden=64")
    config = resolved(compose(*own, *network, "+loss.lr=-1"))
    assert [line.partition(" ")[0] for line in problems(config)] == ["loss.lr=-1"]


def test_equal_mistakes_in_two_places_are_both_named(compose: Compose) -> None:
    both = ("optimizer.generator.lr=-1", "optimizer.discriminator.lr=-1")
    assert [line.partition(" ")[0] for line in wrong(compose(*both))] == [*both]


def test_keys_that_nothing_reads_are_named(compose: Compose) -> None:
    added = ("+optimizer.lrr=3", "+ema.halflife=0", "+model.foo=1")
    config = OmegaConf.to_container(compose(*added))
    third, first, second = unread(added, config)
    assert first.startswith("+optimizer.lrr=3 ")
    assert "did you mean 'optimizer.lr'?" in first
    assert "did you mean 'ema.half_life'?" in second
    assert third.startswith("+model.foo=1 is read by nothing: ")


def test_keys_of_a_file_that_nothing_reads_are_named(compose: Compose) -> None:
    config = compose()
    with open_dict(config):  # as Hydra does for files, not for the command line
        config.ema = OmegaConf.merge(config.ema, {"halflife": 0})
    (found,) = unread((), OmegaConf.to_container(config))
    assert found.startswith("ema.halflife is read by nothing (did you mean 'ema.half_life'?)")


def test_added_keys_that_something_reads_are_fine(compose: Compose) -> None:
    added = ("+optimizer.my-base=3e-4", "optimizer.lr=${optimizer.my-base}", "optimizer.ratio=2")
    added += ("+trainer.deterministic=true", "+optimizer.clip_norm=1")
    config = OmegaConf.to_container(compose("optimizer=ttur", *added[:2], *added[3:4]))
    assert unread(added, config) == []


def test_all_problems_are_named_at_once(compose: Compose) -> None:
    bad = ("optimizer.lr=-3", "data.batch_size=0", "d_steps=0", "ema.half_life=-1")
    lines = wrong(compose(*bad))
    assert {o.partition("=")[0] for o in bad} <= {line.partition("=")[0] for line in lines}


@pytest.mark.parametrize(
    "override",
    [
        "data.classes=[3,5]",
        "trainer.devices=[0,1]",
        "trainer.devices=auto",
        "trainer.max_epochs=-1",
        "trainer.max_epochs=null",
        "trainer.max_time=00:12:00:00",
        "trainer.limit_train_batches=1",
        "trainer.limit_train_batches=0.5",
        "trainer.precision=bf16-mixed",
        "trainer.precision=32",
        "optimizer.decay_images=null",
        "optimizer.discriminator.fused=null",
        "ema.half_life=0",
        "penalty.weight=0",
        "model.num_classes=12",
    ],
)
def test_values_at_the_edge_are_fine(override: str, compose: Compose) -> None:
    assert wrong(compose(override)) == []


@pytest.mark.parametrize(
    "override", ["optimiser.lr=1", "optimizer.learning_rate=1", "sed=1", "loss=hing", "seed=one"]
)
def test_misspelt_and_mistyped_keys_do_not_compose(override: str, compose: Compose) -> None:
    with pytest.raises(Exception, match=r"one|hing|sed|optimi") as caught:
        compose(override)
    assert isinstance(caught.value, ConfigCompositionException) or "hydra" in str(caught.type)


def test_plain_configs_hold_plain_values(compose: Compose) -> None:
    def leaves(node: Any) -> Iterator[Any]:
        children = node.values() if type(node) is dict else node
        if type(node) not in (dict, list):
            yield node
        else:
            for child in children:
                yield from leaves(child)

    kinds = {type(leaf) for leaf in leaves(resolved(compose()))}
    assert kinds <= {str, int, float, bool, type(None)}


@pytest.mark.parametrize(
    ("word", "hint"), [("wdith", "width"), ("width", "width"), ("xyzzy", None)]
)
def test_nearest_word(word: str, hint: str | None) -> None:
    assert nearest(word, ["width", "depth"]) == (f" (did you mean {hint!r}?)" if hint else "")


def resumed(folder: Path, *overrides: str) -> dict[str, Any]:
    asked = compose_config("run_dir=elsewhere", f"resume={folder}", *overrides)
    config = OmegaConf.to_container(resume_config(asked, list(overrides)), resolve=True)
    assert isinstance(config, dict)
    return config


def saved(folder: Path) -> dict[str, Any]:
    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert isinstance(config, dict)
    return config


def test_resume_keeps_the_runs_settings_whatever_the_defaults_are(run_folder: Path) -> None:
    config, before = resumed(run_folder), saved(run_folder)
    assert config.pop("resume") == config.pop("run_dir") == str(run_folder)
    assert config == {k: v for k, v in before.items() if k not in ("resume", "run_dir")}
    assert config["data"]["name"] == "digits"


def test_an_override_on_resume_reaches_its_dependents_alone(run_folder: Path) -> None:
    config, before = resumed(run_folder, "optimizer.lr=5e-4"), saved(run_folder)
    for path in (("lr",), ("generator", "lr"), ("discriminator", "lr")):
        node = config["optimizer"]
        for key in path:
            node = node[key]
        assert math.isclose(node, 5e-4)
    for group in before.keys() - {"optimizer", "resume", "run_dir"}:
        assert config[group] == before[group]


def test_a_group_can_change_on_resume(run_folder: Path) -> None:
    config, before = resumed(run_folder, "loss=hinge"), saved(run_folder)
    assert config["loss"] == {"_target_": "gan_lightning.losses.Hinge"}
    assert config["model"] == before["model"]
    assert config["data"] == before["data"]


def test_a_setting_can_be_added_on_resume(run_folder: Path) -> None:
    config = resumed(run_folder, "+trainer.limit_val_batches=3", "trainer.max_epochs=30")
    assert config["trainer"]["limit_val_batches"] == 3
    assert config["trainer"]["max_epochs"] == 30


def test_a_setting_can_be_deleted_on_resume(run_folder: Path) -> None:
    config = resumed(run_folder, "~callbacks.samples")
    assert not config["callbacks"].get("samples")


def test_recipes_cannot_change_on_resume(run_folder: Path) -> None:
    with pytest.raises(UserError, match="experiment cannot change"):
        resumed(run_folder, "experiment=quickstart")


def test_a_moved_run_goes_on_where_it_is_now(run_folder: Path, tmp_path: Path) -> None:
    """Not in the folder that config.yaml names: another run may be there by now."""
    moved = Path(shutil.copytree(run_folder, tmp_path / "moved"))
    config = resumed(moved)
    assert config["run_dir"] == str(moved)
    assert config["callbacks"]["checkpoints"]["directory"] == str(moved / "checkpoints")
    assert str(run_folder) not in str(config)


def test_resume_needs_a_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"last\.ckpt"):
        resumed(tmp_path)
