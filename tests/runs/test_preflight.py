"""What a run is made of is built once, and handed on."""

import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import pytest
import torch
from lightning import Callback, seed_everything
from omegaconf import DictConfig

from gan_lightning.config.build import build_module
from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.networks import MLPDiscriminator, MLPGenerator
from gan_lightning.runs.preflight import preflight
from tests.conftest import Command
from tests.faults.conftest import SMALL

Compose = Callable[..., DictConfig]
TINY = ("data=digits", "trainer=cpu", "model=mlp", "callbacks=none", "logger=csv")


class Warns(Callback):
    def __init__(self) -> None:
        warnings.warn("a part of the user's has a doubt", stacklevel=1)


def test_each_network_is_built_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counting(init: Callable) -> Callable:
        @wraps(init)
        def count(self: torch.nn.Module, *args: object, **kwargs: object) -> None:
            made.append(type(self).__name__)
            init(self, *args, **kwargs)

        return count

    for cls in (MLPGenerator, MLPDiscriminator):
        monkeypatch.setattr(cls, "__init__", counting(cls.__init__))
    short = ("model=mlp", "trainer.max_epochs=1", "hydra.run.dir=run")
    ended = command(*SMALL[:1], "debug=fast", *short)
    assert ended.status == 0, ended.err
    assert made == ["MLPGenerator", "MLPDiscriminator"]


@pytest.mark.parametrize("loss", ["nonsaturating", "acgan"])
def test_the_networks_are_those_of_the_seed(loss: str, compose: Compose) -> None:
    """Whatever was drawn before, and whatever is built beside them."""
    config = compose(*TINY, f"loss={loss}", "seed=3")
    torch.manual_seed(17)
    module, state = preflight(config).module, torch.get_rng_state()
    seed_everything(3, workers=True, verbose=False)
    other = build_module(resolved(config))
    assert torch.equal(torch.get_rng_state(), state), "nothing else draws"
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_warnings_are_said_once_and_only_of_what_runs(compose: Compose) -> None:
    own = f"+callbacks.own={{_target_: {__name__}.Warns}}"
    with pytest.warns(UserWarning, match="has a doubt") as said:
        preflight(compose(*TINY, own))
    assert sum("has a doubt" in str(one.message) for one in said) == 1
    with warnings.catch_warnings(action="error"), pytest.raises(UserError):
        preflight(compose(*TINY, own, "optimizer.lr=-1"))


def test_nothing_is_left_on_the_disk(compose: Compose, tmp_path: Path) -> None:
    built = preflight(compose(*TINY, "callbacks=default", "logger=default"))
    assert built.trainer.loggers == []
    assert list(tmp_path.iterdir()) == []
