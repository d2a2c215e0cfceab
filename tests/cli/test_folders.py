"""Where runs and sweeps go: folders of their own, made only when something begins."""

import shutil
from pathlib import Path

import pytest

from gan_lightning.cli.folders import new_folder
from gan_lightning.errors import UserError
from tests.conftest import Command
from tests.faults.conftest import SMALL


@pytest.mark.parametrize(
    "shown",
    [
        "--cfg=job",
        "--cfg=hydra",
        "--cfg=all --package=hydra.run --resolve",
        "--cfg=hydra --package=hydra.sweep --resolve",
    ],
)
def test_to_show_a_config_makes_no_folder(shown: str, command: Command, tmp_path: Path) -> None:
    assert command("data=digits", *shown.split()).status == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_named_after_what_was_chosen(command: Command) -> None:
    """And not after a loss that the method does not have."""
    names = []
    for more in (["loss=hinge"], ["model=vae"], ["model=gmm"]):
        shown = command("data=digits", *more, "--cfg=all", "--package=hydra.run", "--resolve")
        names.append(shown.out.strip().partition("-digits-")[2])
    assert names == ["dcgan-hinge", "vae", "gmm"]


def test_no_two_runs_share_a_folder(tmp_path: Path) -> None:
    """Two in one second: the second is numbered."""
    names = [new_folder(tmp_path / "day" / "12-00-00-sweep").name for _ in range(3)]
    assert names == ["12-00-00-sweep", "12-00-00-sweep-2", "12-00-00-sweep-3"]


def test_a_folder_that_many_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(FileExistsError()))
    with pytest.raises(UserError, match="a thousand runs"):
        new_folder(tmp_path / "run")


def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run begin in the same second."""
    from omegaconf import OmegaConf

    register = OmegaConf.register_new_resolver

    def stopped(name: str, resolver: object, **more: object) -> None:
        register(name, (lambda pattern: "now") if name == "now" else resolver, **more)

    monkeypatch.setattr(OmegaConf, "register_new_resolver", stopped)


@pytest.mark.parametrize("jobs", [(), ("-m",)], ids=["runs", "sweeps"])
def test_the_second_run_of_a_second_has_a_folder_of_its_own(
    jobs: tuple[str, ...], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(monkeypatch)
    more = (*SMALL, "trainer.max_epochs=1", "seed=3")
    for _ in range(2):
        assert command(*jobs, *more).status == 0
    first, second = sorted((tmp_path / "outputs" / "now").iterdir())
    assert second.name == f"{first.name}-2"
    assert len(list(first.rglob("generator.safetensors"))) == 1
    assert len(list(second.rglob("generator.safetensors"))) == 1


def test_a_sweep_that_goes_on_where_nobody_was(command: Command, tmp_path: Path) -> None:
    ended = command("-m", *SMALL, "resume=auto", "seed=1,2")
    assert ended.status == 2
    assert ended.err.startswith("resume=auto: which sweep? name its folder by hydra.sweep.dir=")
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_run_makes_no_folder(run_folder: Path, command: Command, tmp_path: Path) -> None:
    shutil.copytree(run_folder, tmp_path / "run")
    assert command("resume=run", "trainer.max_epochs=2").status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
