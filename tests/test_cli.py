"""Misspelt keys are answered with what they may have meant."""

import pytest

from gan_lightning.cli import near_names
from gan_lightning.config import register


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("data.bach_size=3", "data.batch_size"),
        ("losss=hinge", "loss"),
        ("optimzer.lr=1e-3", "optimizer.lr"),
    ],
)
def test_a_misspelt_key_is_answered_with_its_near_name(argument: str, meant: str) -> None:
    register()
    assert near_names("config", [argument]) == (
        f"unknown key {argument.partition('=')[0]!r} (did you mean {meant!r}?)\n"
    )


def test_known_keys_and_switches_need_no_hint() -> None:
    register()
    assert near_names("config", ["-m", "loss=hinge", "data.batch_size=3", "+new=1", "~data"]) == ""
