"""Interpolate, traverse, sefa and mix: what stands at the ends, and in between."""

import math

import pytest
import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.modes.interpolate import Interpolate, labels_between, slerp
from gan_lightning.modes.mix import Mix
from gan_lightning.modes.sefa import Sefa, latent_weight, strongest
from gan_lightning.modes.traverse import Traverse
from gan_lightning.networks import (
    DCGANGenerator,
    GaussianMixture,
    SNGANGenerator,
    StyleGAN2Generator,
    VAEDecoder,
)
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.latents import sample_latents
from tests.modes.conftest import SHAPE, Make, untrained


def test_slerp_keeps_the_angle_even_and_the_length() -> None:
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    for share in (0.0, 0.25, 0.5, 1.0):
        found = slerp(a, b, torch.tensor([share]))
        angle = share * math.pi / 2
        assert found[0].tolist() == pytest.approx([2 * math.cos(angle), 2 * math.sin(angle)])
    assert torch.allclose(slerp(a, a, torch.tensor([0.3])), a)
    between = slerp(a, -2 * a, torch.tensor([0.5]))  # no circle joins opposite latents
    assert torch.allclose(between, -0.5 * a)


def test_a_path_goes_from_seed_to_seed(subject: Make) -> None:
    one = subject()
    sheet = Interpolate(seeds=[3, 7], steps=4, rows=2).sheet(one)
    assert sheet.images.shape == (2, 5, *SHAPE)
    for column, seed in ((0, 3), (-1, 7)):
        z = sample_latents(seed, 0, 2, 8)
        assert torch.equal(sheet.z[:, column], z)
        expected = one.generator(z, torch.tensor([0, 1]))
        assert torch.allclose(sheet.images[:, column], expected, atol=1e-5)
    assert sheet.y.tolist() == [[0] * 5, [1] * 5]


def test_a_loop_ends_before_it_begins_again(subject: Make) -> None:
    sheet = Interpolate(stops=3, steps=4, rows=1, loop=True).sheet(subject())
    assert sheet.images.shape[1] == 12
    assert not torch.equal(sheet.images[0, 0], sheet.images[0, -1])


@pytest.mark.parametrize("make", [untrained, lambda: SNGANGenerator(8, SHAPE, 4, width=8).eval()])
def test_between_classes_the_ends_are_the_classes(subject: Make, make: object) -> None:
    generator = make()  # type: ignore[operator]
    one = subject(generator, labels=[2, 0])
    sheet = Interpolate(between="classes", steps=4, rows=3).sheet(one)
    assert sheet.images.shape == (3, 5, *SHAPE)
    z = sample_latents(0, 0, 3, 8)
    with torch.no_grad():
        ends = [generator(z, torch.full((3,), label)) for label in (2, 0)]
    assert torch.allclose(sheet.images[:, 0], ends[0], atol=1e-5)
    assert torch.allclose(sheet.images[:, -1], ends[1], atol=1e-5)
    middle = sheet.images[:, 2]
    assert not torch.allclose(middle, ends[0], atol=1e-3)
    assert not torch.allclose(middle, ends[1], atol=1e-3)


def test_a_generator_is_as_it_was_afterwards() -> None:
    generator, z = untrained(), torch.randn(2, 8)
    y = torch.zeros(2, dtype=torch.int64)
    before = generator(z, y)
    with labels_between(generator, y + 1, torch.full((2,), 0.5)):
        assert not torch.equal(generator(z, y), before)
    assert torch.equal(generator(z, y), before)


@pytest.mark.parametrize(
    ("generator", "labels"),
    [(untrained(0), []), (untrained(), [1]), (GaussianMixture(SHAPE, 4, principal=2), [0, 1])],
)
def test_without_two_classes_there_is_nothing_between(
    subject: Make, generator: Generator, labels: list[int]
) -> None:
    with pytest.raises(UserError, match=r"mode\.between=classes"):
        Interpolate(between="classes").sheet(subject(generator, labels=labels))


def test_a_row_moves_one_coordinate(subject: Make) -> None:
    sheet = Traverse(dims=[5, 1], steps=3, reach=2.0).sheet(subject())
    assert sheet.images.shape == (2, 3, *SHAPE)
    start = sample_latents(0, 0, 1, 8)[0]
    for row, dim in enumerate((5, 1)):
        assert sheet.z[row, :, dim].tolist() == [-2, 0, 2]
        others = [i for i in range(8) if i != dim]
        assert torch.equal(sheet.z[row][:, others], start[others].expand(3, -1))
    with pytest.raises(UserError, match=r"mode.dims=\[8\]"):
        Traverse(dims=[8]).sheet(subject())


def test_codes_are_traversed_first(subject: Make) -> None:
    generator = untrained(0, codes=[3, 2])
    sheet = Traverse().sheet(subject(generator))
    assert sheet.images.shape[:2] == (3, 3)
    codes = generator.latent_codes
    assert codes.category(sheet.z[0]).tolist() == [0, 1, 2]
    assert codes.values(sheet.z[1])[:, 0].tolist() == pytest.approx([-0.98, 0, 0.98], abs=1e-5)
    assert codes.category(sheet.z[2]).unique().numel() == 1


def test_directions_are_those_that_the_weights_stretch_most() -> None:
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))
    weight = torch.diag(torch.tensor([1.0, 5.0, 3.0, 0.5])) @ turn.T
    found = strongest(weight, 2)
    for direction, column in zip(found, (1, 2), strict=True):
        assert abs(direction @ turn[:, column]).item() == pytest.approx(1, abs=1e-5)


def test_sefa_moves_along_them(subject: Make) -> None:
    one = subject()
    sheet = Sefa(directions=2, steps=3, reach=2.0).sheet(one)
    assert sheet.images.shape == (2, 3, *SHAPE)
    generator = one.generator
    assert isinstance(generator, DCGANGenerator)
    weight, start = latent_weight(generator)
    assert start == 0
    assert torch.equal(weight, generator.project.weight[:, :8])
    moved = sheet.z[0, 2] - sheet.z[0, 1]
    assert moved.norm().item() == pytest.approx(2, rel=1e-4)


@pytest.mark.parametrize(
    ("generator", "fixed"),
    [
        (untrained(0, codes=[3, 2]), [0, 1, 2, 3, 4]),
        (untrained(0, clusters=4), [0]),
        (VAEDecoder(4, [2, 1, 1]).eval(), [4, 5]),
    ],
)
def test_sefa_leaves_codes_clusters_and_noise(
    subject: Make, generator: Generator, fixed: list[int]
) -> None:
    sheet = Sefa(directions=2, steps=3).sheet(subject(generator))
    assert sheet.z is not None
    moved = (sheet.z[:, 0] - sheet.z[:, 2]).abs()
    assert (moved[:, fixed] == 0).all()
    assert (moved.sum(dim=1) > 0).all()


@pytest.mark.parametrize("make", [lambda: GaussianMixture(SHAPE, 4, principal=2)])
def test_sefa_needs_weights(subject: Make, make: object) -> None:
    with pytest.raises(UserError, match="mode=sefa: GaussianMixture"):
        Sefa().sheet(subject(make()))  # type: ignore[operator]


def styled() -> StyleGAN2Generator:
    torch.manual_seed(0)
    generator = StyleGAN2Generator(8, SHAPE, num_classes=4, width=4)
    for layer in generator.modules():
        if isinstance(layer, nn.Module) and hasattr(layer, "strength"):
            layer.strength = nn.Parameter(torch.ones(())) if layer is not generator else 1.0
    return generator.eval().requires_grad_(False)


def test_sefa_moves_the_styles(subject: Make) -> None:
    sheet = Sefa(directions=2, steps=3).sheet(subject(styled()))
    assert sheet.images.shape == (2, 3, *SHAPE)
    assert sheet.z is None
    assert not torch.allclose(sheet.images[0, 0], sheet.images[0, 2])


def test_mixed_images_have_the_styles_of_both(subject: Make) -> None:
    generator = styled()
    sheet = Mix(rows=2, columns=3, crossover=2).sheet(subject(generator))
    assert sheet.images.shape == (3, 4, *SHAPE)
    z, y = sample_latents(0, 0, 5, 8), torch.zeros(5, dtype=torch.int64)

    def image(rows: Tensor) -> Tensor:
        return generator(rows, torch.zeros(len(rows), dtype=torch.int64))

    assert (sheet.images[0, 0] == -1).all()
    assert torch.allclose(sheet.images[1:, 0], image(z[:2]), atol=1e-5)
    assert torch.allclose(sheet.images[0, 1:], image(z[2:]), atol=1e-5)
    from gan_lightning.networks.equalized import normalise

    low, high = normalise(z[:1]), normalise(z[2:3])
    w = torch.cat([generator.styles(low, y[:1])[:, :2], generator.styles(high, y[:1])[:, 2:]], 1)
    assert torch.allclose(sheet.images[1, 1], generator.synthesise(w, low)[0], atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "generator", "words"),
    [
        (Mix(), untrained(), "has no styles"),
        (Mix(crossover=50), styled(), r"mode.crossover=50 must be from 1 to"),
    ],
)
def test_mixing_needs_styles(subject: Make, mode: Mix, generator: Generator, words: str) -> None:
    with pytest.raises(UserError, match=words):
        mode.sheet(subject(generator))
