"""Every loss against its paper's formula in plain Python, and some against numbers by hand."""

import math
from collections.abc import Callable
from itertools import chain

import pytest
import torch

from gan_lightning import losses
from gan_lightning.losses import FGAN, Hinge, Loss, NonSaturating, RelativisticPaired, TopK
from gan_lightning.schedules import Constant, Linear
from tests.conftest import own_options

REAL, FAKE = [2.0, -0.5, 0.3], [-1.5, 0.7, 0.1]
Formula = Callable[[list[float], list[float]], float]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def over(function: Callable[[float], float]) -> Callable[[list[float]], float]:
    """E function(v)."""
    return lambda values: mean([function(v) for v in values])


log_d = over(lambda v: math.log(sigmoid(v)))
log_not_d = over(lambda v: math.log(1 - sigmoid(v)))


def paired(winner: list[float], loser: list[float]) -> float:
    pairs = zip(winner, loser, strict=True)
    return -mean([math.log(sigmoid(w - v)) for w, v in pairs])


def average(winner: list[float], loser: list[float]) -> float:
    w, v = mean(winner), mean(loser)
    return -log_d([x - v for x in winner]) - log_not_d([x - w for x in loser])


def log_z(r: list[float], f: list[float]) -> float:
    return math.log(sum(math.exp(v) for v in chain(r, f)))


def bound(g: Callable[[float], float], conjugate: Callable[[float], float]) -> Formula:
    """-E g(real) + E f*(g(fake)): f-GAN, eqs. 4 and 6."""
    return lambda r, f: -over(g)(r) + over(lambda v: conjugate(g(v)))(f)


# class, arguments -> D's loss of (real, fake), G's loss of (real, fake)
FORMULAS: dict[str, tuple[str, dict[str, object], Formula, Formula]] = {
    "minimax": ("Minimax", {}, lambda r, f: -log_d(r) - log_not_d(f), lambda r, f: log_not_d(f)),
    "nonsaturating": (
        "NonSaturating",
        {},
        lambda r, f: -log_d(r) - log_not_d(f),
        lambda r, f: -log_d(f),
    ),
    "nonsaturating_smooth": (
        "NonSaturating",
        {"smoothing": 0.1},
        lambda r, f: -0.9 * log_d(r) - 0.1 * log_not_d(r) - log_not_d(f),
        lambda r, f: -log_d(f),
    ),
    "lsgan": (
        "LeastSquares",
        {"a": -1.0, "b": 0.8, "c": 0.2},
        lambda r, f: over(lambda v: (v - 0.8) ** 2)(r) / 2 + over(lambda v: (v + 1) ** 2)(f) / 2,
        lambda r, f: over(lambda v: (v - 0.2) ** 2)(f) / 2,
    ),
    "hinge": (
        "Hinge",
        {},
        lambda r, f: over(lambda v: max(0, 1 - v))(r) + over(lambda v: max(0, 1 + v))(f),
        lambda r, f: -mean(f),
    ),
    "wasserstein": ("Wasserstein", {}, lambda r, f: mean(f) - mean(r), lambda r, f: -mean(f)),
    "rpgan": ("RelativisticPaired", {}, paired, lambda r, f: paired(f, r)),
    "ragan": ("RelativisticAverage", {}, average, lambda r, f: average(f, r)),
    "softmax": (
        "Softmax",
        {},
        lambda r, f: log_z(r, f) - sum(r) / 3,
        lambda r, f: log_z(r, f) - sum(r) / 6 - sum(f) / 6,
    ),
    "fgan_kl": (
        "KullbackLeibler",
        {},
        bound(lambda v: v, lambda t: math.exp(t - 1)),
        lambda r, f: -mean(f),
    ),
    "fgan_reverse_kl": (
        "ReverseKullbackLeibler",
        {},
        bound(lambda v: -math.exp(-v), lambda t: -1 - math.log(-t)),
        lambda r, f: over(lambda v: math.exp(-v))(f),
    ),
    "fgan_js": (
        "JensenShannon",
        {},
        bound(lambda v: math.log(2 * sigmoid(v)), lambda t: -math.log(2 - math.exp(t))),
        lambda r, f: -math.log(2) - log_d(f),
    ),
    "fgan_pearson": (
        "PearsonChi2",
        {},
        bound(lambda v: v, lambda t: t * t / 4 + t),
        lambda r, f: -mean(f),
    ),
}
HINGE, NONSATURATING = FORMULAS["hinge"][2:], FORMULAS["nonsaturating"][2:]
FORMULAS |= {
    # Of three fakes, round(0.5 * 3) = 2 count for G.
    "nonsaturating_topk": (
        "TopK",
        {"loss": NonSaturating(), "share": Constant(0.5)},
        NONSATURATING[0],
        lambda r, f: -log_d(sorted(f)[1:]),
    ),
    # What these say of logits; test_auxiliary.py has their heads.
    "acgan": ("ACGAN", {"adversarial": NonSaturating()}, *NONSATURATING),
    "infogan": ("InfoGAN", {"adversarial": NonSaturating()}, *NONSATURATING),
    "multi_hinge": ("MultiHinge", {"adversarial": Hinge()}, *HINGE),
}
EVERY = pytest.mark.parametrize("option", FORMULAS)


def build(option: str) -> tuple[Loss, Formula, Formula]:
    name, arguments, d, g = FORMULAS[option]
    return getattr(losses, name)(**arguments), d, g


def logits() -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (REAL, FAKE))


def test_every_option_has_a_formula() -> None:
    options = own_options("loss")
    assert set(options) == set(FORMULAS)
    for option, node in options.items():
        assert node["_target_"] == f"gan_lightning.losses.{FORMULAS[option][0]}"


@EVERY
def test_value_is_the_formula(option: str) -> None:
    loss, d, g = build(option)
    real, fake = logits()
    assert loss.discriminator(real, fake).item() == pytest.approx(d(REAL, FAKE), abs=1e-12)
    assert loss.generator(fake, real).item() == pytest.approx(g(REAL, FAKE), abs=1e-12)


@EVERY
def test_gradient_is_the_formulas_slope(option: str) -> None:
    """Central differences of the plain Python formula, logit by logit."""
    loss, d, g = build(option)
    real, fake = logits()
    for value, formula in (
        (loss.discriminator(real, fake), d),
        (loss.generator(fake, real), g),
    ):
        gradients = torch.autograd.grad(value, (real, fake), allow_unused=True)
        for side, gradient in enumerate(gradients):
            for index in range(3):
                moved = []
                for step in (1e-6, -1e-6):
                    point = [list(REAL), list(FAKE)]
                    point[side][index] += step
                    moved.append(formula(*point))
                slope = (moved[0] - moved[1]) / 2e-6
                found = 0.0 if gradient is None else gradient[index].item()
                assert found == pytest.approx(slope, abs=1e-7)


@EVERY
def test_only_relativistic_generators_need_the_reals(option: str) -> None:
    loss, _, _ = build(option)
    _, fake = logits()
    if loss.relativistic:
        with pytest.raises(ValueError, match="reals"):
            loss.generator(fake)
    else:
        loss.generator(fake).backward()


@EVERY
def test_certain_logits_give_finite_gradients(option: str) -> None:
    """Where D is sure and right; exp overflows at 88 in float32."""
    loss, _, _ = build(option)
    real = torch.tensor([50.0], requires_grad=True)
    fake = torch.tensor([-50.0], requires_grad=True)
    loss.discriminator(real, fake).backward()
    for logits in (real, fake):
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


LOG2, LOG3 = math.log(2.0), math.log(3.0)
# Numbers worked out without a formula of this file. sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4:
# class, arguments, real logits, fake logits, D's loss, G's loss
BY_HAND = [
    # D: -mean(log 1/2, log 3/4), twice; G: -mean(log 1/2, log 1/4)
    ("NonSaturating", {}, (0.0, LOG3), (0.0, -LOG3), 3 * LOG2 - LOG3, 1.5 * LOG2),
    # G: mean(log(1 - 1/2), log(1 - 1/4))
    ("Minimax", {}, (0.0, LOG3), (0.0, -LOG3), 3 * LOG2 - LOG3, (LOG3 - 3 * LOG2) / 2),
    # D: 1/2 (mean(1, 4) + mean(0.25, 4)); G: 1/2 mean(0.25, 9)
    ("LeastSquares", {}, (0.0, 3.0), (0.5, -2.0), 2.3125, 2.3125),
    # D: 1/2 (mean(0, 9) + mean(2.25, 1)); G: 1/2 mean(6.25, 0)
    ("LeastSquares", {"a": -1.0, "b": 0.0, "c": -2.0}, (0.0, 3.0), (0.5, -2.0), 3.0625, 1.5625),
    # D: mean(0.5, -2) - mean(0, 3); G: -mean(0.5, -2)
    ("Wasserstein", {}, (0.0, 3.0), (0.5, -2.0), -2.25, 0.75),
    # D: mean(1, 0) + mean(1.5, 0); G: -mean(0.5, -2)
    ("Hinge", {}, (0.0, 3.0), (0.5, -2.0), 1.25, 0.75),
]


@pytest.mark.parametrize(("name", "arguments", "real", "fake", "d", "g"), BY_HAND)
def test_values_by_hand(
    name: str, arguments: dict, real: tuple, fake: tuple, d: float, g: float
) -> None:
    loss = getattr(losses, name)(**arguments)
    real_logits, fake_logits = torch.tensor(real), torch.tensor(fake)
    torch.testing.assert_close(loss.discriminator(real_logits, fake_logits), torch.tensor(d))
    torch.testing.assert_close(loss.generator(fake_logits), torch.tensor(g))


@pytest.mark.parametrize("name", sorted({case[0] for case in BY_HAND}))
def test_generator_and_discriminator_pull_fakes_apart(name: str) -> None:
    """The game is adversarial: D pushes the logits of fakes down, G up."""
    loss, fake = getattr(losses, name)(), torch.zeros(4, requires_grad=True)
    (d_gradient,) = torch.autograd.grad(loss.discriminator(torch.zeros(4), fake), fake)
    (g_gradient,) = torch.autograd.grad(loss.generator(fake), fake)
    assert ((d_gradient >= 0) & (g_gradient < 0)).all()


@pytest.mark.parametrize("name", ["NonSaturating", "Minimax"])
def test_logits_may_be_huge(name: str) -> None:
    """log(sigmoid(x)) is -inf at -1000 in float32; the cost in logits is 1000."""
    loss, huge = getattr(losses, name)(), torch.tensor([1000.0])
    torch.testing.assert_close(loss.discriminator(-huge, huge), torch.tensor(2000.0))
    assert loss.generator(-huge).isfinite()


P, Q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.2, 0.2, 0.6]).double()
# f, its derivative (f-GAN, table 1), and the v where g(v) = f'(u).
DIVERGENCES = {
    "KullbackLeibler": (lambda u: u * u.log(), lambda u: u.log() + 1, lambda u: u.log() + 1),
    "ReverseKullbackLeibler": (lambda u: -u.log(), lambda u: -1 / u, lambda u: u.log()),
    "JensenShannon": (
        lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
        lambda u: (2 * u / (u + 1)).log(),
        lambda u: u.log(),
    ),
    "PearsonChi2": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1), lambda u: 2 * (u - 1)),
}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_best_discriminator_finds_the_divergence(name: str) -> None:
    """On two known distributions D's loss is lowest where g(v) = f'(p / q): -D_f(p, q)."""
    loss: FGAN = getattr(losses, name)()
    f, slope, best = DIVERGENCES[name]
    v = best(P / Q).requires_grad_()
    torch.testing.assert_close(loss.activation(v), slope(P / Q))
    value = (Q * loss.cost(v) - P * loss.activation(v)).sum()
    torch.testing.assert_close(-value, (Q * f(P / Q)).sum())
    (gradient,) = torch.autograd.grad(value, v)
    torch.testing.assert_close(gradient, torch.zeros_like(v))
    for step in (-0.1, 0.1):
        moved = v.detach() + step
        assert (Q * loss.cost(moved) - P * loss.activation(moved)).sum() > value


@pytest.mark.parametrize("name", DIVERGENCES)
def test_saturating_generator_minimises_the_bound(name: str) -> None:
    loss = getattr(losses, name)(saturating=True)
    fake = torch.tensor(FAKE)
    torch.testing.assert_close(loss.generator(fake), -loss.cost(fake).mean())


def test_smoothing_caps_the_judge() -> None:
    """Where reals and fakes are as likely, D's best answer is (1 - smoothing) / 2."""
    logit = torch.logit(torch.tensor([0.8 / 2]).double()).requires_grad_()
    NonSaturating(smoothing=0.2).discriminator(logit, logit).backward()
    assert logit.grad is not None
    assert logit.grad.item() == pytest.approx(0, abs=1e-7)


def test_the_best_fakes_meet_their_own_reals() -> None:
    """A paired loss compares fake i with real i, also when some are left out."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    found = TopK(RelativisticPaired(), Constant(0.5)).generator(fake, real)
    expected = paired([FAKE[1], FAKE[2]], [REAL[1], REAL[2]])
    assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("images_seen", "count"), [(0, 4), (50, 3), (100, 2), (10**6, 2)])
def test_fewer_fakes_count_as_training_goes_on(images_seen: int, count: int) -> None:
    loss = TopK(NonSaturating(), Linear(1.0, 0.5, images=100))
    loss.follow(images_seen)
    fake = torch.zeros(4, requires_grad=True)
    loss.generator(fake + torch.arange(4)).backward()
    assert fake.grad is not None
    assert (fake.grad != 0).tolist() == [i >= 4 - count for i in range(4)]
