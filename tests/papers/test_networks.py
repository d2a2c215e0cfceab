"""What the papers claim of their layers, and what a sampler needs of every generator."""

import inspect
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from gan_lightning import networks
from gan_lightning.errors import UserError
from gan_lightning.losses import ACGAN, NonSaturating
from gan_lightning.networks import (
    Density,
    Discriminator,
    Generator,
    MLPDiscriminator,
    MLPGenerator,
)
from gan_lightning.networks.base import ProjectionHead, generator_classes
from gan_lightning.networks.equalized import (
    EqualizedConv,
    LatentNoise,
    ModulatedConv,
    normalise,
)
from gan_lightning.networks.layers import ConditionalBatchNorm, SelfAttention
from gan_lightning.networks.r3gan import ResidualBlock
from gan_lightning.networks.stylegan2 import StyleGAN2Generator
from tests.tiny import QUICK, fitted

LATENT = 16
GENERATORS = list(generator_classes().values())
DISCRIMINATORS = [
    getattr(networks, name)
    for name in vars(networks)
    if name.endswith("Discriminator") and name != "Discriminator"
]
WITH_SPECTRAL_NORM = [
    cls for cls in DISCRIMINATORS if "spectral_norm" in inspect.signature(cls).parameters
]
by_name = {"ids": lambda cls: cls.__name__}


def build(cls: type, *arguments: object, **more: object) -> nn.Module:
    small = {"width": 8, "hidden": [16, 16], "attention": True, "max_width": 32} | more
    taken = inspect.signature(cls).parameters
    torch.manual_seed(0)
    return cls(*arguments, **{k: v for k, v in small.items() if k in taken})


def build_generator(cls: type, *arguments: object) -> Generator:
    """Build a class that may say itself how long its latent is."""
    first = (LATENT,) if "latent_dim" in inspect.signature(cls).parameters else ()
    return build(cls, *first, *arguments, **QUICK)  # type: ignore[return-value]


def trained(generator: Generator, steps: int = 3) -> Generator:
    """Move all parameters off their initial zeros, and fill BatchNorm's statistics."""
    if isinstance(generator, Density):
        return fitted(generator).eval()
    y = torch.arange(8) % generator.num_classes if generator.num_classes else None
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for _ in range(steps):
            generator.train()(torch.randn(8, LATENT), y)
    return generator.eval()


@pytest.mark.parametrize("cls", GENERATORS, **by_name)
@pytest.mark.parametrize("num_classes", [0, 5])
def test_samples_depend_on_their_latent_alone(cls: type[Generator], num_classes: int) -> None:
    """Not on the batch, on the call or on the global random state."""
    generator = trained(build_generator(cls, [2, 28, 28], num_classes))
    z = torch.randn(6, generator.latent_dim)
    y = torch.arange(6) % 5 if num_classes else None
    with torch.no_grad():
        images = generator(z, y)
        torch.manual_seed(123)
        assert generator(z, y).equal(images)
        for row in range(6):
            alone = generator(z[row : row + 1], y[row : row + 1] if y is not None else None)
            torch.testing.assert_close(alone[0], images[row], rtol=1e-4, atol=1e-5)
        back = generator(z.flip(0), y.flip(0) if y is not None else None).flip(0)
    torch.testing.assert_close(back, images, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cls", GENERATORS, **by_name)
def test_state_fits_a_generator_made_without_memory(cls: type[Generator]) -> None:
    """Generator files are read into a network built on the meta device."""
    generator = trained(build_generator(cls, [1, 32, 32], 5))
    with torch.device("meta"):
        copy = build_generator(cls, [1, 32, 32], 5)
    copy.load_state_dict(generator.state_dict(), assign=True)
    z, y = torch.randn(3, generator.latent_dim), torch.tensor([0, 4, 2])
    with torch.no_grad():
        torch.testing.assert_close(copy.eval()(z, y), generator(z, y))


def weights(network: nn.Module) -> Iterator[Tensor]:
    """The weight matrices that the network computes with."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            yield layer.weight.flatten(1)


@pytest.mark.parametrize("cls", WITH_SPECTRAL_NORM, **by_name)
def test_spectral_norm_is_one(cls: type[Discriminator]) -> None:
    """After some power iterations at weights of any size, with labels too."""
    network = build(cls, [1, 28, 28], 5, spectral_norm=True)
    for layer in network.modules():
        if is_parametrized(layer, "weight"):
            with torch.no_grad():
                layer.parametrizations.weight.original.mul_(7.0).add_(0.01)
    for _ in range(100):
        network(torch.randn(2, 1, 28, 28), torch.tensor([1, 2]))
    network.eval()
    norms = torch.stack([torch.linalg.matrix_norm(weight, 2) for weight in weights(network)])
    assert norms.max().item() <= 1.01
    assert norms.min().item() >= 0.9, "divided by too much"


def test_there_are_discriminators_with_spectral_norm() -> None:
    assert len(WITH_SPECTRAL_NORM) >= 4


def test_projection_is_its_inner_product() -> None:
    """Miyato & Koyama 2018, eq. 3: y^T V phi(x) + psi(phi(x)), y one-hot."""
    torch.manual_seed(0)
    head = ProjectionHead(7, num_classes=4).double()
    h, y = torch.randn(5, 7).double(), torch.tensor([3, 0, 0, 2, 1])
    one_hot = nn.functional.one_hot(y, 4).double()
    assert head.embedding is not None
    expected = torch.einsum("bk,kf,bf->b", one_hot, head.embedding.weight, h)
    expected = expected + h @ head.linear.weight[0] + head.linear.bias
    torch.testing.assert_close(head(h, y), expected)


def test_conditional_batch_norm_scales_by_label() -> None:
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(3, num_classes=2)
    assert layer.scale is not None
    assert layer.shift is not None
    with torch.no_grad():
        layer.scale.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]]))
        layer.shift.weight.copy_(torch.tensor([[0.0, 0.0, 1.0], [2.0, 2.0, 0.0]]))
    h, y = torch.randn(8, 3, 4, 4), torch.arange(8) % 2
    plain = nn.BatchNorm2d(3, affine=False)(h)
    for row in range(8):
        scale, shift = layer.scale.weight[y[row]], layer.shift.weight[y[row]]
        expected = plain[row] * scale[:, None, None] + shift[:, None, None]
        torch.testing.assert_close(layer(h, y)[row], expected)


def test_attention_is_the_papers_sum() -> None:
    """Written out place by place: beta_ji = softmax_i(f(x_i) . g(x_j)), o_j = v(sum beta h)."""
    torch.manual_seed(0)
    layer, x = SelfAttention(8), torch.randn(2, 8, 4, 4)
    assert layer(x).equal(x), "nothing is added at first"
    with torch.no_grad():
        layer.strength.fill_(0.7)
    key = nn.functional.max_pool2d(layer.key(x), 2).flatten(2)
    value = nn.functional.max_pool2d(layer.value(x), 2).flatten(2)
    for b in range(2):
        for row, column in ((0, 0), (3, 2)):
            scores = layer.query(x)[b, :, row, column] @ key[b]
            seen = (scores.softmax(0) * value[b]).sum(dim=1)
            expected = x[b, :, row, column] + 0.7 * layer.out.weight[:, :, 0, 0] @ seen
            torch.testing.assert_close(layer(x)[b, :, row, column], expected)


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0])
def test_demodulation_gives_unit_variance(strength: float) -> None:
    """Whatever the style: Karras et al. 2020, eq. 3."""
    torch.manual_seed(0)
    layer = ModulatedConv(32, 64, 3, style_dim=8)
    style = strength * torch.randn(16, 32)
    h = layer.convolve(torch.randn(16, 32, 16, 16), style)[:, :, 1:-1, 1:-1]  # no padding
    torch.testing.assert_close(h.var(dim=(1, 2, 3)), torch.ones(16), atol=0.1, rtol=0)


def test_modulation_is_the_papers_kernel() -> None:
    """One kernel per sample, w'_ijk = s_i w_ijk over its norm: eqs. 1 and 3."""
    torch.manual_seed(0)
    layer, style = ModulatedConv(5, 4, 3, style_dim=8), torch.randn(3, 5)
    h = torch.randn(3, 5, 6, 6)
    found = layer.convolve(h, style)
    for row in range(3):
        kernel = style[row, :, None, None] * layer.weight / 45**0.5
        kernel = kernel / kernel.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
        expected = nn.functional.conv2d(h[row : row + 1], kernel, padding=1)[0]
        torch.testing.assert_close(found[row], expected, atol=1e-5, rtol=1e-4)


def test_equalized_convolution_keeps_the_variance() -> None:
    torch.manual_seed(0)
    h = EqualizedConv(64, 64, 3)(torch.randn(8, 64, 16, 16))[:, :, 1:-1, 1:-1]
    assert h.var().item() == pytest.approx(1.0, abs=0.05)


def test_noise_is_noise_and_a_function_of_z() -> None:
    torch.manual_seed(0)
    layer, z = LatentNoise(64, 14), torch.randn(5000, 64)
    noise = layer.noise(z).flatten(1)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.var().item() == pytest.approx(1, abs=0.01)
    correlation = torch.corrcoef(noise.T) - torch.eye(196)
    assert correlation.abs().max() < 0.1, "pixels differ"
    assert layer.noise(z).flatten(1).equal(noise)
    assert layer(z).abs().max() == 0, "its strength starts at 0"


def test_styles_are_mixed_in_training_alone() -> None:
    generator = build(StyleGAN2Generator, LATENT, [1, 32, 32], 0, style_mixing=0.5)
    z = torch.randn(400, LATENT)
    w = generator.train().styles(z, None)
    own = generator.eval().styles(z, None)
    assert (own == own[:, :1]).all(), "one style for all layers"
    same = (w == own).all(dim=2)
    assert same[:, 0].all(), "the first layer keeps the sample's own style"
    assert 0.4 < (~same).any(dim=1).float().mean() < 0.6
    assert (same.int().diff(dim=1) <= 0).all(), "never back to it after the crossover"


def test_residual_blocks_start_as_the_identity() -> None:
    """Fix-up: the branch is 0 at first, and depth^(-1/4) per inner layer keeps its update small."""
    torch.manual_seed(0)
    block, h = ResidualBlock(16, 8, 2, 16), torch.randn(2, 16, 7, 7)
    assert block(h).equal(h)
    first = block.layers[0].weight
    expected = (2 / 1.04) ** 0.5 * 8**-0.25 / 16**0.5
    assert first.std().item() == pytest.approx(expected, rel=0.1)
    assert block.layers[2].groups == 2


@pytest.mark.parametrize("num_classes", [0, 3])
def test_truncation_moves_styles_to_their_mean(num_classes: int) -> None:
    """w' - mean = strength (w - mean), mean over labels of their own; in eval mode alone."""
    torch.manual_seed(0)
    generator = StyleGAN2Generator(8, [1, 28, 28], num_classes, width=4, max_width=8).eval()
    names = set(generator.state_dict())
    z = normalise(torch.randn(6000, 8))
    y = torch.arange(6000) % 3 if num_classes else None
    whole = generator.styles(z, y)[:, 0].detach()
    for strength in (0.0, 0.5, 1.0):
        generator.truncate(strength)
        cut = generator.styles(z, y)[:, 0]
        for label in range(num_classes or 1):
            rows = y == label if y is not None else slice(None)
            expected = strength**2 * whole[rows].var(0)
            torch.testing.assert_close(cut[rows].var(0), expected, rtol=1e-3, atol=1e-9)
            # The mean is over other latents: five standard errors.
            error = 5 * whole[rows].std(0) / 2000**0.5
            assert ((cut[rows].mean(0) - whole[rows].mean(0)).abs() <= error).all()
    torch.testing.assert_close(cut, whole)
    assert set(generator.state_dict()) == names, "a generator file is the same"
    with pytest.raises(UserError, match="truncation=2"):
        generator.truncate(2)


def test_a_concatenated_label_is_a_weight_of_its_own() -> None:
    """Without hidden layers: w.x + w_y + b. No features stand apart from the label."""
    torch.manual_seed(0)
    discriminator = MLPDiscriminator([1, 2, 2], 3, hidden=[], label_concat=True)
    weight, bias = discriminator.head.linear.weight[0], discriminator.head.linear.bias
    x, y = torch.randn(5, 1, 2, 2), torch.tensor([0, 1, 2, 1, 0])
    expected = x.flatten(1) @ weight[:4] + weight[4:][y] + bias
    torch.testing.assert_close(discriminator(x, y), expected)
    generator = MLPGenerator(8, [1, 2, 2], 3, hidden=[4])
    with pytest.raises(UserError, match="features"):
        ACGAN(NonSaturating()).attach(generator, discriminator)
