"""Generator files and checkpoints: what a run leaves can be read, nothing else is."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import (
    GENERATOR_FILE,
    GeneratorMetadata,
    newest_generator,
    read_generator,
    save_generator,
)
from gan_lightning.networks import Generator, MLPGenerator
from gan_lightning.sampling.draw import sample

ARGUMENTS = {"latent_dim": 4, "image_shape": [1, 4, 4], "num_classes": 0, "hidden": [8]}
METADATA = GeneratorMetadata(
    class_name="MLPGenerator",
    arguments=ARGUMENTS,
    latent_dim=4,
    image_shape=[1, 4, 4],
    num_classes=0,
    classes=[0, 1],
    dataset="test",
    images_seen=64,
)


def test_file_folder_and_checkpoint_hold_the_same_generator(run_folder: Path) -> None:
    drawn = []
    for path in ("", GENERATOR_FILE, "checkpoints/last.ckpt"):
        generator, metadata, file = read_generator(run_folder / path)
        assert file.is_file()
        assert not generator.training
        images, labels = sample(generator, 20, seed=1, labels=metadata.labels)
        drawn.append((images, labels, metadata))
    for images, labels, metadata in drawn[1:]:
        assert torch.equal(images, drawn[0][0])
        assert torch.equal(labels, drawn[0][1])
        assert metadata == drawn[0][2]


def test_metadata_says_what_the_file_holds(run_folder: Path) -> None:
    _, metadata, _ = read_generator(run_folder)
    assert metadata.class_name == "DCGANGenerator"
    assert metadata.dataset == "digits"
    assert metadata.image_shape == [1, 28, 28]
    assert metadata.images_seen == 64
    assert metadata.num_classes == 10
    assert metadata.labels == metadata.classes == list(range(10))
    assert metadata.arguments["latent_dim"] == metadata.latent_dim
    assert "width" in metadata.arguments
    assert metadata.format_version == 1


def test_checkpoints_load_weights_only_and_describe_themselves(run_folder: Path) -> None:
    checkpoint = torch.load(run_folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["config"]["data"]["name"] == "digits"
    assert checkpoint["epoch"] in (1, 2)
    assert len(checkpoint["optimizer_states"]) == 2


def test_a_saved_generator_comes_back(tmp_path: Path) -> None:
    generator = MLPGenerator(**ARGUMENTS).eval()
    save_generator(tmp_path / GENERATOR_FILE, generator, METADATA)
    loaded, metadata, file = read_generator(tmp_path)
    assert (metadata, file) == (METADATA, tmp_path / GENERATOR_FILE)
    assert metadata.labels == []  # unconditional: none may be asked for
    assert torch.equal(sample(loaded, 3)[0], sample(generator, 3)[0])
    assert [p.name for p in tmp_path.iterdir()] == [GENERATOR_FILE]


def write(path: Path, **changes: Any) -> Path:
    """Write a generator file that says something else of itself."""
    network = MLPGenerator(**ARGUMENTS)
    save_generator(path, network, dataclasses.replace(METADATA, **changes))
    return path


def text(path: Path) -> Path:
    path.write_text("<!DOCTYPE html><html>Not found</html>")
    return path


def saved(content: Any) -> Callable[[Path], Path]:
    def save(path: Path) -> Path:
        torch.save(content, path)
        return path

    return save


def foreign(path: Path) -> Path:
    save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
    return path


def odd(path: Path) -> Path:
    save_file({"w": torch.zeros(2)}, path, metadata={"gan_lightning": json.dumps([1, 2])})
    return path


def truncated(path: Path) -> Path:
    write(path).write_bytes(path.read_bytes()[:-50])
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("g.safetensors", text),
        ("g.safetensors", foreign),
        ("g.safetensors", odd),
        ("g.safetensors", truncated),
        ("g.ckpt", text),
        ("g.ckpt", lambda path: path),  # nothing there
        ("g.ckpt", saved(torch.zeros(3))),
        ("g.ckpt", saved({"state_dict": {}})),
        ("g.ckpt", saved({"config": {}, "state_dict": {}})),
        ("g.ckpt", saved({"config": {}, "state_dict": {"_extra_state": 3}})),
        ("g.ckpt", saved({"config": Path("x"), "state_dict": {}})),
    ],
)
def test_other_files_are_refused_by_name(
    tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(UserError, match=name):
        read_generator(path)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"class_name": "Unheard"}, "Unheard.*MLPGenerator"),
        ({"class_name": "os.system"}, "unknown generator"),
        ({"class_name": "DCGANGenerator"}, "hidden"),
        ({"arguments": ARGUMENTS | {"hidden": [9]}}, "does not fit"),
        ({"arguments": ARGUMENTS | {"image_shape": [1, 2**40, 2**40]}}, "cannot build"),
        ({"arguments": ARGUMENTS | {"colour": 1}}, "colour"),
        ({"format_version": 99}, "newer version"),
    ],
)
def test_lies_about_the_network_are_refused(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    path = write(tmp_path / GENERATOR_FILE, **changes)
    with pytest.raises(UserError, match=complaint):
        read_generator(path)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """Weights that are a little wrong still draw pictures."""
    path = write(tmp_path / GENERATOR_FILE)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="corrupt"):
        read_generator(path)


def test_the_newest_generator(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.py"):
        newest_generator(tmp_path)
    for name in ("b", "a"):
        (tmp_path / "day" / name).mkdir(parents=True)
        file = write(tmp_path / "day" / name / GENERATOR_FILE)
    assert newest_generator(tmp_path) == file.parent


class Constant(Generator):
    """A baseline: nothing is learned, nothing is kept."""

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        return torch.ones(len(z), *self.image_shape)


def test_a_generator_without_tensors_comes_back(tmp_path: Path) -> None:
    name, arguments = (
        f"{__name__}.Constant",
        {k: ARGUMENTS[k] for k in ("latent_dim", "image_shape")},
    )
    metadata = dataclasses.replace(METADATA, class_name=name, arguments=arguments)
    save_generator(tmp_path / GENERATOR_FILE, Constant(**arguments), metadata)
    loaded, _, _ = read_generator(tmp_path, trust=name)
    assert torch.equal(sample(loaded, 3)[0], torch.ones(3, 1, 4, 4))
