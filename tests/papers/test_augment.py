"""Augmentation: per sample, differentiable twice, and ADA's probability goes the right way."""

import pytest
import torch
from torch import Tensor

from gan_lightning.augment import ADA, Augment, DiffAugment, InstanceNoise, NoAugment
from gan_lightning.augment.affine import resample, rotation, scaling, translation
from gan_lightning.augment.diffaugment import change_color, cutout, translate
from gan_lightning.schedules import Constant, Linear

EVERY = pytest.mark.parametrize(
    "augment",
    [
        NoAugment(),
        DiffAugment(),
        ADA(probability=0.8),
        ADA(probability=0.8, flips=False),
        InstanceNoise(Constant(0.1)),
    ],
    ids=["none", "diffaugment", "ada", "ada-no-flips", "instance-noise"],
)


def images(count: int = 8, channels: int = 3, side: int = 12) -> Tensor:
    return torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(0))


@EVERY
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("side", [28, 32])
def test_shape_stays(augment: Augment, channels: int, side: int) -> None:
    x = images(4, channels, side)
    y = augment(x)
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert torch.isfinite(y).all()


@EVERY
def test_mixed_precision_moves_no_pixels(augment: Augment) -> None:
    """`trainer.precision=bf16-mixed` draws the same augmentation of float32 images."""
    x = images()
    torch.manual_seed(1)
    expected = augment(x)
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16):
        assert augment(x).equal(expected)
    assert augment(x.bfloat16()).dtype == torch.bfloat16


@EVERY
def test_every_image_on_its_own(augment: Augment) -> None:
    """Image i of the result depends on image i alone."""
    x = images().requires_grad_()
    for row in (0, 5):
        (gradient,) = torch.autograd.grad(augment(x)[row].sum(), x)
        others = [index for index in range(8) if index != row]
        assert gradient[others].abs().max() == 0
    x.requires_grad_(False)
    torch.manual_seed(1)
    first = augment(x)
    torch.manual_seed(1)
    changed = x.clone()
    changed[3] += 1
    assert augment(changed)[[0, 1, 2, 4, 5, 6, 7]].equal(first[[0, 1, 2, 4, 5, 6, 7]])


@pytest.mark.parametrize("augment", [DiffAugment(), ADA(probability=1.0)])
def test_images_get_different_transforms(augment: Augment) -> None:
    torch.manual_seed(0)
    same = images(1).expand(16, -1, -1, -1)
    assert torch.pdist(augment(same).flatten(1)).min() > 0


@EVERY
def test_differentiable_twice(augment: Augment) -> None:
    """By finite differences; the transform is held still by the seed."""
    x = images(1, 3, 4).double().requires_grad_()

    def transform(x: Tensor) -> Tensor:
        torch.manual_seed(2)
        return augment.double()(x)

    def judged(x: Tensor) -> Tensor:
        return transform(x).pow(3).sum()

    assert torch.autograd.gradcheck(judged, (x,))
    assert torch.autograd.gradgradcheck(judged, (x,))


def test_translation_moves_whole_pixels_and_fills_with_zeros() -> None:
    torch.manual_seed(0)
    x = images(64, 1, 16)
    for before, after in zip(x, translate(x), strict=True):
        padded = torch.nn.functional.pad(before, (2, 2, 2, 2))
        windows = padded.unfold(1, 16, 1).unfold(2, 16, 1).flatten(1, 2)[0]
        assert (windows == after).all(dim=(1, 2)).any()


def test_cutout_zeroes_a_rectangle_anywhere() -> None:
    torch.manual_seed(0)
    kept = cutout(torch.ones(2000, 1, 16, 16))[:, 0]
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    holes = 1 - kept
    assert holes.sum(dim=(1, 2)).max() == 64
    assert holes.mean(dim=0).min() > 0.05, "every pixel is cut at times"
    torch.testing.assert_close(
        holes.sum(dim=(1, 2)), holes.amax(dim=1).sum(dim=1) * holes.amax(dim=2).sum(dim=1)
    )


def test_color_is_affine_in_each_image() -> None:
    """Of one channel: a x + b, 1/2 <= a <= 3/2."""
    torch.manual_seed(0)
    x = images(100, 1)
    y = change_color(x)
    slope = (y.flatten(1).std(dim=1) / x.flatten(1).std(dim=1)).clamp(0)
    assert slope.min() >= 0.5
    assert slope.max() <= 1.5
    shift = (y - x).mean(dim=(1, 2, 3))
    assert shift.min() >= -0.5
    assert shift.max() <= 0.5
    assert shift.std().item() == pytest.approx(12**-0.5, rel=0.2)


def test_saturation_keeps_the_mean_of_the_channels() -> None:
    torch.manual_seed(0)
    x = torch.zeros(200, 3, 4, 4)
    x[:, 0], x[:, 1] = 1.0, -1.0  # no gray part, no contrast over places
    y = change_color(x)
    spread = (y[:, 0] - y[:, 1]).mean(dim=(1, 2)) / 2
    assert spread.min() >= 0
    assert spread.max() <= 3.0
    assert spread.max() > 1.5


def test_unknown_transforms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"blur.*none of color, translation, cutout"):
        DiffAugment(["blur"])


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (translation(torch.tensor([1.0]), torch.tensor([0.0])), lambda x: x.roll(-1, 3)),
        (scaling(torch.tensor([-1.0]), torch.tensor([1.0])), lambda x: x.flip(3)),
        (rotation(torch.tensor([torch.pi / 2])), lambda x: x.rot90(1, (2, 3))),
        (rotation(torch.tensor([torch.pi])), lambda x: x.rot90(2, (2, 3))),
    ],
    ids=["shift", "mirror", "quarter", "half"],
)
def test_resampling_is_exact_on_pixel_moves(matrix: Tensor, expected: object) -> None:
    x = images(1, 2, 7)
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(resample(x, matrix)[inner], expected(x)[inner], atol=1e-5, rtol=1e-4)


def test_resampling_reflects_at_the_border() -> None:
    x = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4)
    moved = resample(x, translation(torch.tensor([2.0]), torch.tensor([0.0])))
    assert moved[0, 0, 0].tolist() == [2, 3, 2, 1]


def test_resampling_agrees_with_grid_sample() -> None:
    torch.manual_seed(0)
    x, side = images(4, 3, 9), 9
    matrix = rotation(torch.randn(4)) @ scaling(1 + torch.rand(4), 1 + torch.rand(4))
    matrix = matrix @ translation(torch.randn(4), torch.randn(4))
    theta = matrix[:, :2].clone()
    theta[:, :, 2] *= 2 / (side - 1)
    grid = torch.nn.functional.affine_grid(theta, list(x.shape), align_corners=True)
    expected = torch.nn.functional.grid_sample(
        x, grid, padding_mode="reflection", align_corners=True
    )
    torch.testing.assert_close(resample(x, matrix), expected, atol=1e-4, rtol=1e-3)


def test_ada_at_zero_changes_nothing() -> None:
    x = images()
    torch.testing.assert_close(ADA()(x), x)


def test_adas_probability_is_a_share_of_images() -> None:
    torch.manual_seed(0)
    ada = ADA(probability=0.3, flips=False)
    x = images(4000, 1, 4)
    moved = ada.geometry(x) - torch.eye(3)
    share = (moved.abs().amax(dim=(1, 2)) > 1e-6).float().mean().item()
    # zoom, rotation, stretch, shift along two axes; an eighth of 4 pixels is no whole pixel
    assert share == pytest.approx(1 - 0.7**5, abs=0.02)
    angle = torch.atan2(moved[:, 1, 0], moved[:, 0, 0] + 1)
    assert (angle.abs() > 1e-4).float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_adas_colors_keep_grays_gray() -> None:
    torch.manual_seed(0)
    gray = images(50, 1).expand(-1, 3, -1, -1)
    y = ADA(probability=1.0).color(gray)
    torch.testing.assert_close(y[:, :1].expand_as(y), y, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("real_share", "direction"), [(1.0, 1), (0.9, 1), (0.75, -1), (0.5, -1), (0.0, -1)]
)
def test_adas_probability_follows_overfitting(real_share: float, direction: int) -> None:
    """E sign = 2 share - 1; the target 0.6 is a share of 0.8 of reals judged real."""
    ada = ADA(probability=0.5, images=1000)
    logits = torch.where(torch.arange(20) < 20 * real_share, 3.0, -5.0)
    ada.update(logits)
    assert ada.p.item() == pytest.approx(0.5 + direction * 20 / 1000)
    ada.update(logits.sign())
    assert ada.p.item() == pytest.approx(0.5 + direction * 40 / 1000)


def test_adas_probability_stays_one_and_is_saved() -> None:
    ada = ADA(probability=0.9, images=100)
    for _ in range(5):
        ada.update(torch.ones(10))
    assert ada.p.item() == 1.0
    fresh = ADA()
    fresh.load_state_dict(ada.state_dict())
    assert fresh.p.item() == 1.0
    for _ in range(20):
        fresh.update(-torch.ones(50_000))
    assert fresh.p.item() == 0.0


def test_instance_noise_fades_with_the_images_seen() -> None:
    noise, images = InstanceNoise(Linear(0.5, 0.0, images=100)), torch.zeros(200, 1, 8, 8)
    for images_seen, std in ((0, 0.5), (50, 0.25), (90, 0.05)):
        noise.follow(images_seen)
        noisy = noise(images)
        assert noisy.std().item() == pytest.approx(std, rel=0.05)
        assert noisy.mean().item() == pytest.approx(0.0, abs=0.02)
        assert noisy.flatten(1).corrcoef().triu(1).abs().mean() < 0.2, "each image has its own"
    noise.follow(100)
    assert noise(images) is images
