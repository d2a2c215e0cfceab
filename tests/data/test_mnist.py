"""MNIST through torchvision: the real one where GAN_DATA_DIR has it, and its absence."""

from pathlib import Path

import pytest
import torch
import yaml

from gan_lightning.data import DataUnavailable, MNISTDataModule
from tests.conftest import CONF, NO_NETWORK

# Digits 0..9 of the training split, as counted in LeCun's files.
HISTOGRAM = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_the_real_mnist(mnist_root: str) -> None:
    data = MNISTDataModule("MNIST", mnist_root, name="mnist")
    data.prepare_data()
    data.setup()
    images, labels = data.images.images, data.images.labels
    assert images.shape == (60_000, 1, 28, 28)
    assert images.dtype == torch.uint8
    assert labels.bincount().tolist() == HISTOGRAM
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.float().mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert len(data.split(train=False)) == 10_000


def test_a_subset_of_the_real_mnist_at_32_pixels(mnist_root: str) -> None:
    data = MNISTDataModule("MNIST", mnist_root, name="mnist", resolution=32, classes=[3, 5])
    data.prepare_data()
    data.setup()
    assert data.images.images.shape == (6131 + 5421, 1, 32, 32)
    assert data.images.labels.unique().tolist() == [3, 5]


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST", "KMNIST"])
def test_missing_data_is_said_in_one_sentence(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
    data = MNISTDataModule(dataset, str(tmp_path), name="the set")
    with pytest.raises(DataUnavailable) as caught:
        data.prepare_data()
    message = str(caught.value)
    assert f"the set is not in {tmp_path}" in message
    assert "refused" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == [], "nothing was fetched, and no empty folder is left"


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST", "KMNIST"])
def test_names_are_those_of_the_configs(dataset: str) -> None:
    node = yaml.safe_load((CONF / f"data/{MNISTDataModule(dataset).name}.yaml").read_text())
    assert node["dataset"] == dataset


def test_a_root_is_enough(mnist_root: str) -> None:
    data = MNISTDataModule(root=mnist_root)
    data.prepare_data()
    data.setup()
    assert (data.name, len(data.images), data.remark) == ("mnist", 60_000, "")
