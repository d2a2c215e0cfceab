"""The feature network: its identity, what it accepts, and the shipped one's accuracy."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lightning.data import DigitsDataModule
from gan_lightning.data.images import resize
from gan_lightning.errors import UserError
from gan_lightning.metrics.features import __main__ as train_features
from gan_lightning.metrics.features import classifier as features
from gan_lightning.metrics.features.__main__ import find_data
from gan_lightning.metrics.features.classifier import (
    SHIPPED,
    DigitClassifier,
    FeatureNetwork,
    read_feature_network,
    require_one_unit,
    shipped_feature_network,
)
from gan_lightning.metrics.features.store import cached_network, feature_network, save_classifier
from gan_lightning.metrics.scores import cheap_scores, reference_scores
from tests.metrics.conftest import Halves
from tests.untrusted.memory import reset, used


def test_the_shipped_network_is_what_its_note_says() -> None:
    note = json.loads((SHIPPED / "mnist_features.json").read_text())
    shipped = shipped_feature_network("mnist")
    assert shipped is not None
    assert shipped.sha256 == note["sha256"]
    assert shipped.unit == note["sha256"][:8]
    assert note["test_accuracy"] >= 0.993
    assert (SHIPPED / "mnist_features.safetensors").stat().st_size < 1_000_000
    assert sum(p.numel() for p in DigitClassifier().parameters()) == 232_682


def test_the_shipped_network_on_mnist(mnist_root: str) -> None:
    shipped, data = shipped_feature_network("mnist"), find_data("mnist")
    assert shipped is not None
    split = data.split(train=False)
    right = (shipped.embed(split.images).predictions == split.labels).float().mean()
    assert right.item() == pytest.approx(shipped.metadata["test_accuracy"], abs=2e-4)


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
    network = shipped_feature_network("mnist")
    assert network is not None
    metadata = {"arguments": network.metadata["arguments"] | changes}
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
        train_features.main(
            ["data=digits", "epochs=1", "width=2", f"seed={seed}", f"output={tmp_path / name}"]
        )
    a, b, c = ((tmp_path / n / "digits_features.safetensors").read_bytes() for n in "abc")
    assert a == b
    assert a != c
    note = json.loads((tmp_path / "a" / "digits_features.json").read_text())
    assert note["command"].endswith("data=digits seed=0 epochs=1 width=2")
    assert note["sha256"][:8] in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["data=nothing"], ["data=digits", "seed=x"], ["lr=1"]])
def test_bad_commands(arguments: list[str]) -> None:
    with pytest.raises(UserError, match=re.compile("usage|known are")):
        train_features.main(arguments)


def test_trained_on_first_use_then_read(
    network: FeatureNetwork, digits: DigitsDataModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cached_network(digits).is_file()
    monkeypatch.setattr(
        "gan_lightning.metrics.features.store.train_features", None
    )  # must not be called
    assert feature_network(digits).unit == network.unit
    assert network.metadata["test_accuracy"] > 0.9
