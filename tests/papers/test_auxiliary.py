"""Heads on D's features: formulas at hand-picked numbers, and a toy whose codes must be found."""

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.losses import ACGAN, AuxiliaryLoss, InfoGAN, MultiHinge, NonSaturating
from gan_lightning.networks import Discriminator, MLPDiscriminator, MLPGenerator
from gan_lightning.networks.codes import LatentCodes

REAL = [[2.0, -1.0, 0.5, 0.3], [-0.2, -0.4, -0.6, -0.9]]
FAKE = [[0.1, 0.9, -0.4, 0.2], [-1.5, 0.3, 0.8, 0.6]]
LABEL = [0, 2]
Z = [[0.3, 1.2, -0.7, 0.5], [-0.1, -2.0, 0.4, -1.3]]  # categories 1 and 0 of two; two values


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def cross_entropy(logits: list[list[float]], labels: list[int]) -> float:
    rows = zip(logits, labels, strict=True)
    return mean([math.log(sum(map(math.exp, row))) - row[label] for row, label in rows])


def hinge(scores: list[list[float]], labels: list[int]) -> float:
    """max(0, 1 - C_y + max of the others)."""
    values = []
    for row, label in zip(scores, labels, strict=True):
        others = [score for index, score in enumerate(row) if index != label]
        values.append(max(0.0, 1.0 - row[label] + max(others)))
    return mean(values)


def information(outputs: list[list[float]]) -> float:
    """-log of a categorical and two unit Gaussians, without (log 2 pi) / 2 each."""
    category = cross_entropy([row[:2] for row in outputs], [1, 0])
    codes = [[math.erf(z / math.sqrt(2)) for z in row[2:]] for row in Z]  # 2 Phi(z) - 1
    squares = [
        sum((o - c) ** 2 for o, c in zip(row[2:], code, strict=True))
        for row, code in zip(outputs, codes, strict=True)
    ]
    return category + mean(squares) / 2


CASES = {
    "acgan": (
        ACGAN(NonSaturating()),
        cross_entropy(REAL, LABEL) + cross_entropy(FAKE, LABEL),
        cross_entropy(FAKE, LABEL),
    ),
    "multi_hinge": (
        MultiHinge(NonSaturating()),
        hinge(REAL, LABEL) + hinge(FAKE, [3, 3]),
        hinge(FAKE, LABEL),
    ),
    "infogan": (InfoGAN(NonSaturating(), codes=[2, 2]), information(FAKE), information(FAKE)),
}
EVERY = pytest.mark.parametrize("name", CASES)


def double(values: list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@EVERY
def test_value_is_the_formula(name: str) -> None:
    loss, d, g = CASES[name]
    real, fake, y, z = double(REAL), double(FAKE), torch.tensor(LABEL), double(Z).detach()
    assert loss.discriminator_more(real, fake, y, z).item() == pytest.approx(d, abs=1e-12)
    assert loss.generator_more(fake, y, z).item() == pytest.approx(g, abs=1e-12)


@EVERY
def test_gradients_by_finite_differences(name: str) -> None:
    loss, _, _ = CASES[name]
    y, z = torch.tensor(LABEL), double(Z).detach()
    assert torch.autograd.gradcheck(
        lambda real, fake: loss.discriminator_more(real, fake, y, z) + 0.0 * real.sum(),
        (double(REAL), double(FAKE)),
    )
    assert torch.autograd.gradcheck(lambda fake: loss.generator_more(fake, y, z), (double(FAKE),))


@EVERY
def test_heads_have_the_outputs_they_need(name: str) -> None:
    loss = {"acgan": ACGAN, "multi_hinge": MultiHinge, "infogan": InfoGAN}[name](NonSaturating())
    generator = MLPGenerator(16, [1, 4, 4], 10, hidden=[8], codes=[10, 2])
    loss.attach(generator, MLPDiscriminator([1, 4, 4], 10, hidden=[8]))
    outputs = {"acgan": 10, "multi_hinge": 11, "infogan": 12}[name]
    assert loss.head(torch.zeros(3, 8)).shape == (3, outputs)


@pytest.mark.parametrize("make", [ACGAN, MultiHinge])
def test_losses_about_labels_need_some(make: type[AuxiliaryLoss]) -> None:
    with pytest.raises(UserError, match="num_classes must not be 0"):
        make(NonSaturating()).attach(MLPGenerator(8, [1, 4, 4], 0), MLPDiscriminator([1, 4, 4], 0))


def test_a_discriminator_without_features_is_refused() -> None:
    class Bare(Discriminator):
        def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
            return x.flatten(1).sum(1)

    with pytest.raises(UserError, match="features"):
        ACGAN(NonSaturating()).attach(MLPGenerator(8, [1, 4, 4], 10), Bare([1, 4, 4]))


def test_categories_are_uniform_and_values_too() -> None:
    codes = LatentCodes(8, 5, 2)
    z = torch.randn(50_000, 8, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(codes.category(z), minlength=5)
    assert (counts / 10_000 - 1).abs().max() < 0.05  # five standard deviations: 4.5 %
    for values in codes.values(z).T:
        bins = torch.histc(values, 10, -1.0, 1.0)
        assert bins.sum() == 50_000
        assert (bins / 5_000 - 1).abs().max() < 0.07


def test_codes_take_the_places_of_the_first_coordinates() -> None:
    codes, z = LatentCodes(6, 2, 2), torch.tensor([[*Z[0], 7.0, -7.0]])
    expected = [0.0, 1.0, math.erf(-0.7 / math.sqrt(2)), math.erf(0.5 / math.sqrt(2)), 7.0, -7.0]
    torch.testing.assert_close(codes(z), torch.tensor([expected]))
    assert LatentCodes(6)(z) is z


def test_codes_can_be_chosen_and_nothing_else_changes() -> None:
    codes = LatentCodes(8, 4, 2)
    z = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    rows = codes.by_category(z)
    assert codes.category(rows).tolist() == [c for c in range(4) for _ in range(16)]
    for row in rows.split(16):
        assert torch.equal(codes(row)[:, 4:], codes(z)[:, 4:])
        assert torch.equal(row[:, :4].sort()[0], z[:, :4].sort()[0]), "still the same normals"
    turned = codes.with_value(z, 1, torch.linspace(-0.9, 0.9, 16))
    torch.testing.assert_close(codes.values(turned)[:, 1], torch.linspace(-0.9, 0.9, 16))
    assert torch.equal(turned[:, [0, 1, 2, 3, 4, 6, 7]], z[:, [0, 1, 2, 3, 4, 6, 7]])


def test_too_many_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"codes=\[6,3\]"):
        LatentCodes(8, 6, 3)


MODES = torch.tensor(list(itertools.product([-0.6, 0.6], repeat=2)))


def train_infogan(
    reals: Callable[[int], Tensor], codes: list[int], weight: float, steps: int, batch: int = 128
) -> MLPGenerator:
    """Train on points [N, 2] and return the generator."""
    torch.manual_seed(0)
    generator = MLPGenerator(8, [2, 1, 1], hidden=[64], codes=codes)
    discriminator = MLPDiscriminator([2, 1, 1], hidden=[64, 64])
    loss = InfoGAN(NonSaturating(), weight, codes=codes)
    loss.attach(generator, discriminator)
    adam = {"lr": 2e-3, "betas": (0.5, 0.99)}
    d_optimizer = torch.optim.Adam([*discriminator.parameters(), *loss.parameters()], **adam)
    g_optimizer = torch.optim.Adam(generator.parameters(), **adam)
    y = torch.zeros(batch, dtype=torch.long)
    for _ in range(steps):
        real = reals(batch)
        for optimizer, for_d in ((d_optimizer, True), (g_optimizer, False)):
            z = torch.randn(batch, 8)
            fake = generator(z)
            h = discriminator.features(fake.detach() if for_d else fake)
            logits, outputs = discriminator.head(h), loss.head(h)
            if for_d:
                real_h = discriminator.features(real[:, :, None, None])
                cost = loss.discriminator(discriminator.head(real_h), logits)
                cost = cost + weight * loss.discriminator_more(loss.head(real_h), outputs, y, z)
            else:
                cost = loss.generator(logits) + weight * loss.generator_more(outputs, y, z)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
    return generator.eval()


def train_on_modes(weight: float) -> tuple[float, float]:
    """Train on four narrow modes; return purity of categories and the share of samples near."""

    def reals(count: int) -> Tensor:
        return MODES[torch.randint(4, (count,))] + 0.05 * torch.randn(count, 2)

    generator = train_infogan(reals, [4, 0], weight, steps=400)
    z = torch.randn(2000, 8)
    with torch.no_grad():
        samples = generator(z).flatten(1)
    distance, nearest = torch.cdist(samples, MODES).min(dim=1)
    table = (
        nn.functional.one_hot(4 * generator.latent_codes.category(z) + nearest, 16)
        .sum(0)
        .view(4, 4)
    )
    best = max(
        sum(int(table[c, mode]) for c, mode in enumerate(order))
        for order in itertools.permutations(range(4))
    )
    return best / 2000, (distance < 0.3).float().mean().item()


def test_infogans_category_is_the_mode() -> None:
    """Each category draws a mode of its own; without the information term it does not."""
    purity, near = train_on_modes(weight=1.0)
    assert purity > 0.95
    assert near > 0.9


def turned(angle: Tensor) -> Tensor:
    return 0.7 * torch.stack([angle.cos(), angle.sin()], dim=1)


def rotation_of_code(weight: float) -> float:
    """Train on an arc of half a turn; return |r| of the rank of the code and that of the angle."""

    def reals(count: int) -> Tensor:
        return turned(math.pi * torch.rand(count)) + 0.02 * torch.randn(count, 2)

    generator = train_infogan(reals, [0, 1], weight, steps=400)
    z = torch.randn(2000, 8)
    with torch.no_grad():
        x, y = generator(z).flatten(1).T
    ranks = torch.stack([generator.latent_codes.values(z)[:, 0], torch.atan2(y, x)]).argsort(1)
    return torch.corrcoef(ranks.argsort(1).double())[0, 1].abs().item()


def test_infogans_value_is_the_rotation() -> None:
    """The code that is named nowhere in the data orders it; without the term it does not."""
    assert rotation_of_code(weight=1.0) > 0.9
    assert rotation_of_code(weight=0.0) < 0.6
