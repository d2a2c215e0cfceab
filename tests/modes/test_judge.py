"""D as judge: its file, its calibration, its training, and the commands."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import sample
from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import (
    DISCRIMINATOR_FILE,
    JUDGE_FILE,
    Judge,
    read_judge,
    save_judge,
)
from gan_lightning.export.discriminator_metadata import DiscriminatorMetadata
from gan_lightning.lecture.trained import trained_module
from gan_lightning.modes import calibration
from gan_lightning.modes.calibration import calibrate, reliability
from gan_lightning.networks import DCGANDiscriminator, Discriminator, MLPDiscriminator
from gan_lightning.training import GANModule
from tests.conftest import Command


@pytest.fixture
def run(run_folder: Path, tmp_path: Path) -> Path:
    """A copy of the finished run."""
    return shutil.copytree(run_folder, tmp_path / "run")


def test_a_run_leaves_its_discriminator(run: Path) -> None:
    module = trained_module(run)
    assert isinstance(module, GANModule)
    judge = read_judge(run)
    assert judge.metadata.dataset == "digits"
    assert judge.metadata.images_seen == module.images_seen
    x = torch.rand(30, 1, 28, 28) * 2 - 1
    y = torch.arange(30) % 10
    with torch.no_grad():
        expected = module.discriminator(x, y)
        every = torch.stack([module.discriminator(x, torch.full((30,), k)) for k in range(10)])
    assert torch.allclose(judge.logits(x, y), expected, atol=1e-5)
    assert torch.allclose(judge.logits(x), every.max(0).values, atol=1e-5)
    assert torch.allclose(judge.p_fake(x, y), 1 - expected.sigmoid(), atol=1e-5)


def test_clusters_take_the_place_of_labels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    centres = torch.stack([torch.full((784,), -1.0), torch.full((784,), 1.0)])
    d = DCGANDiscriminator([1, 28, 28], num_classes=2, width=2)
    metadata = DiscriminatorMetadata(
        class_name="DCGANDiscriminator",
        arguments={"image_shape": [1, 28, 28], "num_classes": 2, "width": 2},
        image_shape=[1, 28, 28],
        num_classes=2,
        classes=[0, 1],
        dataset="digits",
        images_seen=0,
    )
    save_judge(tmp_path / DISCRIMINATOR_FILE, Judge(d, metadata, centres))
    judge = read_judge(tmp_path)
    x = torch.stack([torch.full((1, 28, 28), -0.9), torch.full((1, 28, 28), 0.8)])
    with torch.no_grad():
        expected = d(x, torch.tensor([0, 1]))
    assert torch.allclose(judge.logits(x, torch.tensor([1, 1])), expected, atol=1e-5)


def test_a_calibration_finds_the_scale_that_is_there() -> None:
    """Logits of N(+-1, 1): the true log odds of real are 2 logits, after a factor and an offset."""
    random = torch.Generator().manual_seed(0)
    reals, fakes = (torch.randn(20_000, generator=random) + mean for mean in (1.0, -1.0))
    found = calibrate(reals * 0.1 + 3.0, fakes * 0.1 + 3.0, "x")
    assert found.scale == pytest.approx(20, rel=0.05)
    assert found.offset == pytest.approx(-60, rel=0.05)


def test_reliability_counts_fakes_where_they_are() -> None:
    found = reliability(torch.tensor([0.05, 0.08, 0.86, 0.84, 1.0]), torch.tensor([0, 1, 1, 0, 1]))
    assert found == [
        (pytest.approx(0.065), 0.5, 2),
        (pytest.approx(0.85), 0.5, 2),
        (1.0, 1.0, 1),
    ]


Sample = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(command: Command) -> Sample:
    """Run sample.py; return how it ended, and what it said on both streams."""

    def run(*overrides: str) -> tuple[int, str, str]:
        ended = command("accelerator=cpu", *overrides, script=sample)
        return ended.status, ended.out, ended.err

    return run


def test_images_are_judged_and_the_calibration_is_kept(
    run: Path, ask: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "MOST", 100)
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 28, 28), np.uint8))
    asked = ("mode=judge", f"generator={run}", f"image={tmp_path / 'x.npz'}", "output=x.png")
    status, said, _ = ask(*asked)
    assert status == 0
    assert "x.npz 1" in said
    assert "of 50 held-out reals" in said
    assert "(calibrated)" in said
    assert read_judge(run).calibration is not None
    before = (run / DISCRIMINATOR_FILE).stat().st_mtime_ns
    assert ask(*asked, "overwrite=true")[1] == said
    assert (run / DISCRIMINATOR_FILE).stat().st_mtime_ns == before
    assert (tmp_path / "x.png").stat().st_size > 5000


def test_a_judge_that_is_trained_on_decides(
    run: Path, ask: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "MOST", 200)
    monkeypatch.setattr(calibration, "TRAINED", 4000)
    status, said, _ = ask("mode=judge", f"generator={run}", "train_judge=true", "output=x.png")
    assert status == 0
    assert "real 0" in said  # without an image it shows some of each kind
    judge = read_judge(run, trained=True)
    assert judge.metadata.trained_on > 0
    assert judge.calibration is not None
    shares = [float(share) for share in re.findall(r"([0-9.]+)% of 1", said)]
    assert min(shares) > 95  # G is hardly trained
    assert (run / JUDGE_FILE).is_file()
    assert read_judge(run, trained=False).metadata.trained_on == 0


def test_the_best_are_those_that_d_likes_most(run: Path, ask: Sample) -> None:
    small = (f"generator={run}", "num_samples=20")
    assert ask(*small, "mode=best", "mode.of=5", "output=best.npz")[0] == 0
    assert ask(*small, "output=all.npz")[0] == 0
    judge, means = read_judge(run), []
    for name in ("best.npz", "all.npz"):
        with np.load(name) as arrays:
            x = torch.from_numpy(arrays["images"]) / 127.5 - 1
            y = torch.from_numpy(arrays["labels"])
        assert y.tolist() == [*range(10)] * 2
        means.append(judge.logits(x, y).mean().item())
    assert means[0] > means[1]


def test_the_best_by_a_judge_that_is_not_there_is_one_sentence(run: Path, ask: Sample) -> None:
    status, _, said = ask("mode=best", "train_judge=true", f"generator={run}", "output=x.png")
    assert status == 2
    assert "make it by python sample.py mode=judge train_judge=true" in said


@pytest.mark.parametrize("mode", ["judge", "best"])
def test_without_d_it_is_one_sentence(run: Path, ask: Sample, mode: str) -> None:
    (run / DISCRIMINATOR_FILE).unlink()
    status, _, said = ask(f"mode={mode}", f"generator={run}", "output=x.png")
    assert status == 2
    assert "which says what D makes of images" in said
    assert len(said.strip().splitlines()) == 1


def test_a_generator_file_is_no_judge(run: Path) -> None:
    shutil.copyfile(run / "generator.safetensors", run / DISCRIMINATOR_FILE)
    with pytest.raises(UserError, match="is not a discriminator file"):
        read_judge(run)


@pytest.mark.parametrize(
    "network",
    [
        DCGANDiscriminator([1, 28, 28], 3, width=2, minibatch_stddev=4),
        MLPDiscriminator([1, 28, 28], 3, hidden=[8], label_concat=True),
    ],
)
def test_what_d_says_of_an_image_does_not_hang_on_the_others(
    network: Discriminator, tmp_path: Path
) -> None:
    """Nor on how it takes labels: features that know the label, statistics of a batch."""
    arguments = {"image_shape": [1, 28, 28], "num_classes": 3}
    more = (
        {"width": 2, "minibatch_stddev": 4}
        if isinstance(network, DCGANDiscriminator)
        else {"hidden": [8], "label_concat": True}
    )
    metadata = DiscriminatorMetadata(
        class_name=type(network).__name__,
        arguments=arguments | more,
        image_shape=[1, 28, 28],
        num_classes=3,
        classes=[0, 1, 2],
        dataset="digits",
        images_seen=0,
    )
    save_judge(tmp_path / DISCRIMINATOR_FILE, Judge(network, metadata))
    judge = read_judge(tmp_path)
    x = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    single = torch.cat([judge.logits(one) for one in x.split(1)])
    assert torch.allclose(judge.logits(x), single, atol=1e-5)


def test_a_calibration_of_a_part_is_not_kept(
    run: Path, ask: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "MOST", 100)
    asked = ("mode=judge", f"generator={run}", "output=x.png", "overwrite=true")
    assert ask(*asked, "label=3")[0] == 0
    assert read_judge(run).calibration is None
    assert ask(*asked)[0] == 0
    kept = read_judge(run).calibration
    assert kept is not None
    assert ask(*asked, "label=3")[0] == 0
    assert read_judge(run).calibration == kept
    status, _, said = ask(*asked, "label=3", "train_judge=true")
    assert status == 2
    assert "leave out label=" in said


def test_a_calibrated_judge_needs_no_data(
    run: Path, ask: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "MOST", 100)
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 28, 28), np.uint8))
    asked = ("mode=judge", f"generator={run}", "output=x.png", "overwrite=true")
    gone = ("data=array", "data.root=gone.npz")
    assert ask(*asked, *gone, "image=x.npz")[0] == 2  # it is not calibrated yet
    assert ask(*asked)[0] == 0
    status, said, _ = ask(*asked, *gone, "image=x.npz")
    assert status == 0
    assert "how often it is right is not counted: " in said
    assert "2 images judged" in said
    assert ask(*asked, *gone)[0] == 2  # without an image there is nothing to show


def test_data_of_another_shape_is_one_sentence(run: Path, ask: Sample) -> None:
    status, _, said = ask("mode=judge", f"generator={run}", "data=ring", "output=x.png")
    assert status == 2
    assert "images of ring are 2x1x1" in said
