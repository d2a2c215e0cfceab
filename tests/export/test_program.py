"""Every generator class draws the same images as ONNX file and as program, at any batch size."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.onnx_file import open_onnx
from gan_lightning.export.program import (
    OPSET,
    Differences,
    checked,
    compare,
    open_program,
    write_onnx,
    write_program,
)
from gan_lightning.networks import Generator, NaiveBayes, StyleGAN2Generator
from gan_lightning.networks.base import generator_classes
from tests.export.exported import VARIANTS, lively
from tests.tiny import nearly_black

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
CASES = [(name, {"num_classes": count}) for name in generator_classes() for count in (0, 3)]
CASES += VARIANTS


def labels(generator: Generator) -> list[int]:
    return list(range(generator.num_classes))


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_onnx_draws_what_torch_draws(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    generator, _ = lively(name, **arguments)
    file = tmp_path / "x.onnx"
    write_onnx(file, generator, {"a": 1})
    found = compare(open_onnx(file)[0], generator, labels(generator))
    assert len(found.images) == 104
    assert found.images.max() <= 1e-5, str(found)

    model = onnx.load(str(file))
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    types = {i.name: i.type.tensor_type for i in [*model.graph.input, *model.graph.output]}
    kinds = {name: onnx.TensorProto.DataType.Name(t.elem_type) for name, t in types.items()}
    assert kinds == {"z": "FLOAT", "images": "FLOAT"} | ({"y": "INT64"} if "y" in kinds else {})
    assert ("y" in types) == bool(generator.num_classes)
    for name, tensor in types.items():
        first, *rest = tensor.shape.dim
        assert first.dim_param == "batch"
        sizes = {"z": (generator.latent_dim,), "y": (), "images": generator.image_shape}
        assert tuple(d.dim_value for d in rest) == sizes[name]
    assert {p.key: p.value for p in model.metadata_props} == {"gan_lightning": '{"a": 1}'}


@pytest.mark.parametrize(("name", "arguments"), CASES[1::2] + VARIANTS[:6:5], ids=str)
def test_a_program_draws_what_torch_draws(
    name: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    generator, _ = lively(name, **arguments)
    file = tmp_path / "x.pt2"
    write_program(file, generator, {"a": 1})
    found = compare(open_program(file), generator, labels(generator))
    assert found.images.max() <= 1e-5, str(found)
    extra = {"gan_lightning.json": ""}
    torch.export.load(file, extra_files=extra)
    assert json.loads(extra["gan_lightning.json"]) == {"a": 1}


def test_files_name_no_path_of_this_machine(tmp_path: Path) -> None:
    generator, _ = lively("StyleGAN2Generator", num_classes=3)
    write_onnx(tmp_path / "x.onnx", generator, {})
    write_program(tmp_path / "x.pt2", generator, {})
    here = str(Path(__file__).parents[2]).encode()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert here not in content
        assert b"site-packages" not in content


def test_noise_and_truncation_are_part_of_the_program(tmp_path: Path) -> None:
    """StyleGAN2's noise is a function of z; its truncation is a constant of the program."""
    whole, _ = lively("StyleGAN2Generator", num_classes=3)
    short, _ = lively("StyleGAN2Generator", num_classes=3)
    assert isinstance(short, StyleGAN2Generator)
    assert any(block.noise.strength != 0 for block in short.convs)
    short.truncate(0.5)
    write_onnx(tmp_path / "x.onnx", short, {})
    draw, _ = open_onnx(tmp_path / "x.onnx")
    assert compare(draw, short, [0, 1, 2]).images.max() <= 1e-5
    assert compare(draw, whole, [0, 1, 2]).chosen > 50
    z, y = torch.randn(3, short.latent_dim), torch.arange(3)
    assert torch.equal(draw(z, y), draw(z, y))


def test_narrow_bins_of_naive_bayes(tmp_path: Path) -> None:
    """They divide by what a bin holds, 1/6,032: it would enlarge what two runtimes round apart."""
    generator = NaiveBayes([1, 12, 12], 3)
    generator.fit(nearly_black(18_000), torch.arange(18_000) % 3)
    assert generator.probability.min() < 1.7e-4
    write_onnx(tmp_path / "x.onnx", generator.eval(), {})
    found = compare(open_onnx(tmp_path / "x.onnx")[0], generator, [0, 1, 2], [3000])
    assert found.images.max() <= 1e-5, str(found)


class Lengths(Generator):
    """Asks for len(z), which one way to trace takes for a constant."""

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return z[:, :1, None, None].tanh() * torch.ones(len(z), *self.image_shape)


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_onnx, lambda path: open_onnx(path)[0]), (write_program, open_program)],
)
def test_the_length_of_a_batch_is_no_constant(write: Any, read: Any, tmp_path: Path) -> None:
    generator = Lengths(4, [1, 2, 2]).eval()
    write(tmp_path / "x", generator, {})
    assert compare(read(tmp_path / "x"), generator).images.max() <= 1e-6


class Random(Generator):
    """Draws noise of its own."""

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.rand(z.shape[0], *self.image_shape)


class Branch(Generator):
    """Looks at values in Python."""

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        images = z[:, :1, None, None].expand(-1, *self.image_shape)
        return images if z.sum() > 0 else -images


@pytest.mark.parametrize("write", [write_onnx, write_program])
def test_what_cannot_be_traced_is_a_sentence(write: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Branch cannot be exported by format=") as raised:
        write(tmp_path / "x", Branch(4, [1, 2, 2]).eval(), {})
    assert "\n" not in str(raised.value)


def test_noise_of_its_own_is_found(tmp_path: Path) -> None:
    generator = Random(4, [1, 2, 2]).eval()
    write_program(tmp_path / "x.pt2", generator, {})
    found = compare(open_program(tmp_path / "x.pt2"), generator)
    with pytest.raises(UserError, match="function of z and y alone"):
        checked(found, "Random")


def test_one_choice_on_a_threshold_is_no_fault() -> None:
    """A density or a category may be chosen otherwise where float32 rounds otherwise."""
    images = torch.full((104,), 1e-6)
    assert "1.0e-06 in 104 images" in str(checked(Differences(images), "X"))
    images[3] = 1.5
    assert "1 with another choice" in str(checked(Differences(images), "X"))
    images[:9] = torch.nan
    with pytest.raises(UserError, match="9 of 104 images"):
        checked(Differences(images), "X")
