"""Stacked MNIST: digits as channels, its modes, and what real images score."""

from pathlib import Path

import pytest
import torch

from gan_lightning.data import MNISTDataModule, StackedMNISTDataModule
from gan_lightning.errors import UserError
from gan_lightning.metrics.modes import DigitModes, mode_scorer
from tests.conftest import NO_NETWORK


def stacked(root: str, **arguments: int) -> StackedMNISTDataModule:
    arguments = {"channels": 3, "num_classes": 1000, "size": 500, "test_size": 300} | arguments
    data = StackedMNISTDataModule(root, name="stacked_mnist", **arguments)  # type: ignore[arg-type]
    data.prepare_data()
    data.setup()
    return data


def test_channels_are_digits_of_the_same_split(mnist_root: str) -> None:
    data = stacked(mnist_root)
    mnist = MNISTDataModule("MNIST", mnist_root, name="mnist")
    for train, count in ((True, 500), (False, 300)):
        images, modes = data.load(train)
        digits, labels = mnist.load(train)
        assert (images.shape, images.dtype) == ((count, 3, 28, 28), torch.uint8)
        known = {digit.numpy().tobytes(): int(y) for digit, y in zip(digits, labels, strict=True)}
        for image, mode in list(zip(images, modes, strict=True))[:20]:
            read = [known[channel.numpy().tobytes()] for channel in image]
            assert int("".join(map(str, read))) == mode


def test_the_seed_decides_and_nothing_else(mnist_root: str) -> None:
    torch.manual_seed(1)
    one = stacked(mnist_root).images.images
    torch.manual_seed(2)
    assert torch.equal(one, stacked(mnist_root).images.images)
    assert not torch.equal(one, stacked(mnist_root, seed=1).images.images)


def test_it_is_unconditional_unless_asked(mnist_root: str) -> None:
    data = stacked(mnist_root, num_classes=0, resolution=32)
    assert data.images.images.shape == (500, 3, 32, 32)
    assert data.classes == []
    assert data.images.labels.unique().tolist() == [0]
    with pytest.raises(ValueError, match="must be 0 or 10000, the modes of 4 digits"):
        stacked(mnist_root, channels=4, num_classes=1000)


def test_the_classifier_reads_the_reals(mnist_root: str) -> None:
    data = stacked(mnist_root)
    scorer = mode_scorer(data)
    assert isinstance(scorer, DigitModes)
    assert scorer.num_modes == 1000
    assert scorer.reference.sum() == pytest.approx(1)
    assert scorer.reference[111] == pytest.approx((6742 / 60000) ** 3)
    images, modes = data.load(train=False)
    read = scorer.read(images)
    assert (read[:, 0] == modes).float().mean() > 0.98
    assert scorer.scores(read)["modes"] == len(read.unique())
    same = scorer.scores(torch.full((300, 1), 555.0))
    assert same["modes"] == 1
    assert same["reverse_kl"] == pytest.approx(
        -3 * torch.tensor(5421 / 60000).log().item(), abs=1e-4
    )


def test_four_digits_are_ten_thousand_modes(mnist_root: str) -> None:
    data = stacked(mnist_root, channels=4, num_classes=10_000, size=20, test_size=20)
    scorer = mode_scorer(data)
    assert isinstance(scorer, DigitModes)
    assert scorer.num_modes == 10_000
    assert scorer.reference.sum() == pytest.approx(1)


def test_digits_do_not_stand_in_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="stacked_mnist is made of MNIST; put it there"):
        stacked(str(tmp_path))
