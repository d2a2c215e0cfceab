"""The table of classifiers: each learns, on reals and on a generator's samples."""

from pathlib import Path

import pytest
import torch

from gan_lightning.data.batches import ImageTensors
from gan_lightning.lecture import classifiers, classify
from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.classifiers import CLASSIFIERS
from tests.conftest import Command

QUICK = ("logistic regression", "naive Bayes")


def test_a_table_of_reals_and_of_samples(
    command: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command("data=digits", "model=gmm", "hydra.run.dir=run", "callbacks=none").status == 0
    monkeypatch.setattr(classify, "CLASSIFIERS", [c for c in CLASSIFIERS if c.name in QUICK])
    capfd.readouterr()
    main(["classify", "data=digits", "generator=run", "images=400", "tested=200"])
    said = capfd.readouterr().out
    for name in QUICK:
        (line,) = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
        shares = [float(part.rstrip("%,")) for part in line.split() if "%" in part]
        assert len(shares) == 2
        assert min(shares) > 60
    assert "guessing would be right in 10.0%" in said


def test_a_model_that_cannot_be_fitted_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ("Gaussian mixture", "naive Bayes")
    monkeypatch.setattr(classify, "CLASSIFIERS", [c for c in CLASSIFIERS if c.name in some])
    main(["classify", "data=digits", "images=50", "tested=50"])
    said = capsys.readouterr().out
    assert "Gaussian mixture: GaussianMixture cannot be fitted to" in said
    assert any(line.startswith("naive Bayes: ") and "%" in line for line in said.splitlines())


def test_two_classes_of_ten(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ("logistic regression", "conditional VAE")
    monkeypatch.setattr(classify, "CLASSIFIERS", [c for c in CLASSIFIERS if c.name in some])
    monkeypatch.setattr(classifiers, "PASSES", 300)
    main(["classify", "data=digits", "data.classes=[3,5]", "images=100", "tested=20"])
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in some)
    assert "guessing would be right in 50.0%" in said


def test_one_class_is_nothing_to_learn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ("support vector machine", "naive Bayes")
    monkeypatch.setattr(classify, "CLASSIFIERS", [c for c in CLASSIFIERS if c.name in some])
    main(["classify", "data=digits", "images=1", "tested=20"])
    assert "support vector machine: cannot be fitted to 1 images" in capsys.readouterr().out


def test_a_vae_reads_what_it_was_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes of flat images, black and white."""
    monkeypatch.setattr(classifiers, "PASSES", 3000)
    labels = torch.arange(200) % 2
    images = (labels[:, None, None, None] * 200 + torch.randint(0, 50, (200, 1, 28, 28))).byte()
    read = classifiers.variational(ImageTensors(images, labels), 2, 0)
    assert (read(images[:40]) == labels[:40]).float().mean() > 0.9


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            [f"seed={1 << 32}"],
            "must be a whole number at least 0 and at most 4294967295",
        ),
        (["images=none"], "images=none must be a whole number at least 1"),
        (["data=nowhere"], "data=nowhere: "),
        (["data=digits", "data.num_classes=0"], "digits has no labels"),
        (["data=digits", "generator=nowhere"], "nowhere"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    wrong: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["classify", *wrong])
    assert end.value.code == 2
    assert words in capsys.readouterr().err
