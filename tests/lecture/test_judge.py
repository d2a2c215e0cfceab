"""D as judge: what the command says is 1 - D(x), and of what it cannot judge it says why."""

import re
from pathlib import Path

import pytest
import torch

from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.judge import p_fake, reals
from gan_lightning.lecture.trained import trained_module, trained_on
from gan_lightning.training import GANModule
from tests.conftest import Command

QUICK = ("data=digits", "debug=fast", "callbacks.scores=null", "hydra.run.dir=run")


def test_it_says_one_minus_d(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["judge", "--run", str(run_folder), "--images", "20"])
    said = capsys.readouterr().out
    shown = [float(p) for p in re.findall(r"real \d[^0-9]+(0\.\d+)", said)]
    module = trained_module(run_folder)
    assert isinstance(module, GANModule)
    x, y = reals(trained_on(run_folder), 20)
    with torch.no_grad():
        expected = 1 - module.discriminator(x, y).sigmoid()
    assert shown == pytest.approx(expected[:5].tolist(), abs=6e-4)
    right = (expected <= 0.5).float().mean().item()
    assert f"right about {right:.1%}" in said


def test_a_cluster_is_a_label(command: Command) -> None:
    assert command(*QUICK, "model.num_classes=0", "model.clusters=4").status == 0
    module = trained_module(Path("run"))
    assert isinstance(module, GANModule)
    found = p_fake(module, *reals(trained_on(Path("run")), 10))
    assert found.shape == (10,)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (["model=vae"], "is no GAN"),
        (["loss=wasserstein", "penalty=wgan_gp"], "gives a score, no probability"),
        (["model.generator.num_classes=0", "model.clusters=0"], "sees labels that its generator"),
    ],
)
def test_what_cannot_judge_is_one_sentence(
    how: list[str], words: str, command: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(*QUICK, *how).status == 0
    with pytest.raises(SystemExit) as end:
        main(["judge", "--run", "run"])
    assert end.value.code == 2
    assert words in capfd.readouterr().err
