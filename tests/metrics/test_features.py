"""The feature network: its identity, what it accepts, and the shipped one's accuracy."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.features import find_data, main
from gan_lightning.data import DigitsDataModule
from gan_lightning.data.images import resize
from gan_lightning.errors import UserError
from gan_lightning.metrics.features import classifier as features
from gan_lightning.metrics.features import store
from gan_lightning.metrics.features.cache import cache_folder
from gan_lightning.metrics.features.classifier import (
    SHIPPED,
    DigitClassifier,
    FeatureNetwork,
    read_feature_network,
    require_one_unit,
    shipped_feature_network,
)
from gan_lightning.metrics.features.store import feature_network, save_classifier
from gan_lightning.metrics.scores import cheap_scores, reference_scores
from tests.metrics.conftest import Halves
from tests.untrusted.memory import reset, used


@pytest.mark.parametrize(("name", "accuracy"), [("mnist", 0.993), ("digits", 0.97)])
def test_a_shipped_network_is_what_its_note_says(name: str, accuracy: float) -> None:
    note = json.loads((SHIPPED / f"{name}_features.json").read_text())
    shipped = shipped_feature_network(name)
    assert shipped.sha256 == note["sha256"]
    assert shipped.unit == note["sha256"][:8]
    assert note["test_accuracy"] >= accuracy
    assert note["command"].startswith(f"python -m gan_lightning.metrics.features data={name} ")
    assert (SHIPPED / f"{name}_features.safetensors").stat().st_size < 1_000_000


def right_share(network: FeatureNetwork, images: Tensor, labels: Tensor) -> float:
    return (network.embed(images).predictions == labels).double().mean().item()


def test_the_shipped_network_on_mnist(mnist_root: str) -> None:
    shipped, data = shipped_feature_network("mnist"), find_data("mnist")
    split = data.split(train=False)
    accuracy = shipped.metadata["test_accuracy"]
    assert right_share(shipped, split.images, split.labels) == pytest.approx(accuracy, abs=2e-4)
    assert feature_network(data).unit == shipped.unit
    assert sum(p.numel() for p in DigitClassifier().parameters()) == 232_682


def test_the_shipped_network_on_the_digits(network: FeatureNetwork) -> None:
    accuracy = network.metadata["test_accuracy"]
    found = right_share(network, *DigitsDataModule(name="digits").load(train=False))
    assert found == pytest.approx(accuracy, abs=1.5 / 297)
    for resolution in (16, 28, 32):
        split = DigitsDataModule(name="digits", resolution=resolution).split(train=False)
        assert right_share(network, split.images, split.labels) > 0.96


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for ending in ("safetensors", "json"):
        shutil.copy(SHIPPED / f"mnist_features.{ending}", tmp_path)
    file = tmp_path / "mnist_features.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    monkeypatch.setattr(features, "SHIPPED", tmp_path)
    with pytest.raises(UserError, match="was changed"):
        shipped_feature_network("mnist")


@pytest.mark.parametrize(
    "changes",
    [{"width": 10**6}, {"num_features": 2**40}, {"width": 33}, {"depth": 2}, {"width": None}],
)
def test_a_file_that_lies_about_its_network_is_refused(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    """Without the memory that the lie asks for."""
    metadata = {"arguments": shipped_feature_network("mnist").metadata["arguments"] | changes}
    save_classifier(DigitClassifier(), metadata, tmp_path / "x.safetensors")
    before = reset()
    with pytest.raises(UserError, match="not a feature network"):
        read_feature_network(tmp_path / "x.safetensors")
    assert used() - before < 100 << 20


@pytest.mark.parametrize("content", [b"", b"not safetensors", None])
def test_a_file_of_another_kind_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match="not a feature network"):
        read_feature_network(file)


def test_two_units_are_never_compared(halves: Halves) -> None:
    with pytest.raises(UserError, match="aaaaaaaa, bbbbbbbb"):
        require_one_unit(["aaaaaaaa", "bbbbbbbb", "aaaaaaaa"])
    other = features.Embedded(halves.embedded.features, halves.embedded.logits, "another")
    with pytest.raises(UserError, match="cannot be compared"):
        cheap_scores(other, halves.reals)
    with pytest.raises(UserError, match="cannot be compared"):
        reference_scores(other, halves.reals)


def test_sizes_channels_and_ranges(network: FeatureNetwork, digits: DigitsDataModule) -> None:
    images = digits.split(train=False).images[:50]
    expected = network.embed(images).features
    assert expected.shape == (50, 128)
    for same in (resize(images, 32), images.expand(-1, 3, -1, -1), images / 127.5 - 1):
        assert torch.allclose(network.embed(same).features, expected, atol=1e-4)
    assert network.embed(resize(images, 64)).features.shape == (50, 128)


def test_folding_batch_norm_changes_nothing() -> None:
    network, images = DigitClassifier(width=4), torch.randn(8, 1, 28, 28)
    for _ in range(3):
        network(images)
    with torch.no_grad():
        expected = network.eval()(images)
        assert torch.allclose(network.frozen()(images), expected, atol=1e-5)


def test_training_is_a_function_of_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / name).mkdir()
        main(["data=digits", "epochs=1", "width=2", f"seed={seed}", f"output={tmp_path / name}"])
    a, b, c = ((tmp_path / n / "digits_features.safetensors").read_bytes() for n in "abc")
    assert a == b
    assert a != c
    note = json.loads((tmp_path / "a" / "digits_features.json").read_text())
    assert note["command"].endswith("data=digits seed=0 epochs=1 width=2")
    assert note["sha256"][:8] in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["data=nothing"], ["data=digits", "seed=x"], ["lr=1"]])
def test_bad_commands(arguments: list[str]) -> None:
    with pytest.raises(UserError, match=re.compile("usage|known are")):
        main(arguments)


@pytest.mark.parametrize(
    "settings",
    [{"resolution": 32}, {"classes": [3, 5]}, {"fraction": 0.1, "seed": 3}, {"name": "mine"}],
)
def test_the_digits_are_known_by_their_content(
    settings: dict[str, Any], network: FeatureNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "train_features", None)  # must not be called
    assert feature_network(DigitsDataModule(**{"name": "digits"} | settings)).unit == network.unit


class Few(DigitsDataModule):
    """A user's own data set under a name that is taken."""

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        images, labels = super().load(train)
        return images[:256], labels[:256]


def test_other_data_get_a_network_of_their_own_on_first_use(
    network: FeatureNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = feature_network(Few(name="digits"))
    assert first.unit != network.unit
    (file,) = cache_folder(Few(name="digits")).glob(
        f"digits_features-{first.metadata['data_fingerprint']}.safetensors"
    )
    assert read_feature_network(file).unit == first.unit
    monkeypatch.setattr(store, "train_features", None)  # must not be called
    assert feature_network(Few(name="digits")).unit == first.unit


def test_a_shipped_network_has_the_classes_of_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "train_features", lambda data, path: data.num_classes)
    assert feature_network(DigitsDataModule(name="digits", num_classes=11)) == 11
