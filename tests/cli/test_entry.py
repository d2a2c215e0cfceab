"""Misspelt keys and options are answered with what they may have meant."""

import pytest

from gan_lightning.cli.hints import hints
from gan_lightning.config.schema import register


def hinted(*arguments: str) -> list[str]:
    register()
    return hints("config", list(arguments)).splitlines()


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("data.bach_size=3", "data.batch_size"),
        ("losss=hinge", "loss"),
        ("optimzer.lr=1e-3", "optimizer.lr"),
    ],
)
def test_a_misspelt_key_is_answered_with_its_near_name(argument: str, meant: str) -> None:
    key = argument.partition("=")[0]
    assert hinted(argument) == [f"unknown key {key!r} (did you mean {meant!r}?)"]


def test_keys_of_options_that_were_chosen_are_known() -> None:
    chosen = ("loss=hinge,nonsaturating_topk", "loss.share.start=0.9", "experiment=few_shot_ada")
    (only,) = hinted(*chosen, "augment.flips=true", "losss=1")
    assert only == "unknown key 'losss' (did you mean 'loss'?)"


def test_misspelt_options_of_all_groups_are_answered() -> None:
    named = ("loss=hing", "penalty=r9", "logger=[csv,tensorbord]", "experiment=fewshot_ada")
    first, second, third, fourth = hinted(*named)
    assert first == "loss=hing is no option (did you mean 'hinge'?)"
    assert second.startswith("penalty=r9 is no option (did you mean 'r")
    assert third == "logger=tensorbord is no option (did you mean 'tensorboard'?)"
    assert fourth == "experiment=fewshot_ada is no option (did you mean 'few_shot_ada'?)"


def test_wrong_values_are_told_beside_what_does_not_compose() -> None:
    hint, *wrong = hinted("data.bach_size=3", "loss=hing", "optimizer.lr=-1", "hydra.run.dir=x")[1:]
    assert "'hinge'" in hint
    assert "optimizer.lr=-1 must be a number above 0" in wrong
    assert len(wrong) == 1, "lr, without the two that follow it"


def test_wrong_values_are_told_beside_a_value_of_the_wrong_type() -> None:
    wrong = hinted("seed=x", "data.batch_size=0", "optimizer.lr=-1")
    assert {line.partition(" ")[0] for line in wrong} >= {"data.batch_size=0", "optimizer.lr=-1"}


@pytest.mark.parametrize("name", ["sample", "evaluate"])
def test_options_of_another_command_are_answered_too(name: str) -> None:
    register()
    assert "Traceback" not in hints(name, ["data=digits", "loss=hinge", "laebl=3"])


def test_known_keys_and_switches_need_no_hint() -> None:
    known = ("-m", "loss=hinge,lsgan", "debug=null", "data.batch_size=3", "+new=1", "~data")
    assert hinted(*known, "hydra.run.dir=there", "hydra.sweep.dir=there") == []
