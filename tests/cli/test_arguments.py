"""A command line is parsed once: what is wrong with it ends in one sentence."""

import json
from pathlib import Path

import pytest

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.errors import UserError
from tests.conftest import Command

NO_OVERRIDES = ["=3", "+=3", "~=3", "", "3", "seed", "a b=3", "seed='3", "a.=3", "loss=[x"]


def line(*arguments: str) -> CommandLine:
    return CommandLine(["train.py", *arguments])


@pytest.mark.parametrize("argument", NO_OVERRIDES)
def test_what_is_no_override_is_named(argument: str, command: Command, tmp_path: Path) -> None:
    ended = command("data=digits", argument)
    assert ended.status == 2
    (sentence,) = ended.err.splitlines()
    assert sentence.startswith(f"{argument!r} is not KEY=VALUE, such as seed=3")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "argument", ["seed=3", "+a=1", "~a", "~a=1", "++a.b=[1,2]", "loss@x=hinge", "a={b: 1}", "a="]
)
def test_overrides_of_all_kinds_are_let_through(argument: str) -> None:
    line("-m", argument).check()


def test_switches_and_what_belongs_to_them_are_no_overrides() -> None:
    switches = ("--config-dir", "here", "-m", "--cfg", "job")
    assert line(*switches, "seed=1", "loss=hinge").overrides == ["seed=1", "loss=hinge"]


def test_a_switch_may_stand_between_overrides() -> None:
    """`python train.py trainer.devices=2 -m seed=0,1`: argparse takes no more behind `-m`."""
    typed = line("a=1", "-m", "seed=0,1", "--cfg", "job")
    assert typed.overrides == ["a=1", "seed=0,1"]
    assert typed.composed == ["a=1", "seed=0,1", "-m", "--cfg", "job"]


@pytest.mark.parametrize("argument", ["loss=null", "+loss@x=Null", "logger=[csv,null]"])
def test_a_group_cannot_be_null(argument: str) -> None:
    with pytest.raises(UserError, match="is no option: leave it out, or choose of"):
        line(argument).check()


def test_the_history_is_what_the_run_was_made_with(tmp_path: Path) -> None:
    past = ["penalty=r1_lazy", "penalty.every=2", "+trainer.x=1", "loss=hinge", 7]
    (tmp_path / "run.json").write_text(json.dumps({"overrides": past}))
    resumed = line(f"resume={tmp_path}", "penalty=none", "++trainer.x=2")
    assert resumed.history == ["loss=hinge"]
    assert resumed.composed == ["loss=hinge", *resumed.argv[1:]]
    assert line(f"resume={tmp_path}").history == past[:-1]
    assert line("resume=auto").history == line("seed=1").history == []


def test_the_command_is_what_was_typed() -> None:
    assert line("a='x y'").command == """train.py 'a='"'"'x y'"'"''"""
