"""Every penalty against a closed form, per sample, on discriminators whose gradient is known."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from benchmarks.toys import Quadratic
from gan_lightning.augment import Augment
from gan_lightning.penalties import (
    DRAGAN,
    R1,
    R1R2,
    R2,
    WGANGP,
    WGANLP,
    ClipWeights,
    Consistency,
    Lazy,
    LeCam,
    NoPenalty,
    Penalty,
    Scheduled,
    Sum,
    WGANDiv,
)
from gan_lightning.schedules import Cosine
from tests.conftest import own_options

BATCH, SHAPE = 6, (2, 3, 3)
# name -> penalty, where it looks, its closed form from ||grad D||^2 there
CLOSED: dict[str, tuple[Penalty, str, Callable[[Tensor], Tensor]]] = {
    "r1": (R1(3.0), "real", lambda s: 1.5 * s),
    "r2": (R2(3.0), "fake", lambda s: 1.5 * s),
    "wgan_gp": (WGANGP(7.0), "between", lambda s: 7 * (s.sqrt() - 1) ** 2),
    "wgan_lp": (WGANLP(7.0), "between", lambda s: 7 * (s.sqrt() - 1).clamp(min=0) ** 2),
    "wgan_div": (WGANDiv(2.0, 6.0), "between", lambda s: 2 * s**3),
    "dragan": (DRAGAN(5.0, 0.1, 2.0), "around", lambda s: 5 * (s.sqrt() - 2) ** 2),
}
# Those whose closed forms are tested below, by function.
OTHERS = {"none", "r1r2", "r1_lazy", "r1r2_burn_in", "lecam", "bcr"}
CURVATURES = pytest.mark.parametrize("curvature", [0.0, 0.4, -1.1], ids=["linear", "+", "-"])
EVERY = pytest.mark.parametrize("name", CLOSED)


@pytest.fixture
def real() -> Tensor:
    return torch.randn(BATCH, *SHAPE, generator=torch.Generator().manual_seed(1)).double()


@pytest.fixture
def fake() -> Tensor:
    return torch.randn(BATCH, *SHAPE, generator=torch.Generator().manual_seed(2)).double()


def quadratic(curvature: float) -> Quadratic:
    """Gradient norms on both sides of 1: below when linear, above where curved."""
    slope = 0.15 * torch.randn(18, generator=torch.Generator().manual_seed(3)).double()
    return Quadratic(slope, curvature)


def test_every_option_has_a_closed_form() -> None:
    options = own_options("penalty")
    assert set(options) == set(CLOSED) | OTHERS
    for option in CLOSED:
        assert options[option]["_target_"].endswith(f".{type(CLOSED[option][0]).__name__}")


@EVERY
@CURVATURES
def test_value_is_the_closed_form_per_sample(
    name: str, curvature: float, real: Tensor, fake: Tensor
) -> None:
    penalty, _, form = CLOSED[name]
    judge = quadratic(curvature)
    value = penalty(judge, real, fake, None)
    assert value.shape == (BATCH,)
    (shown,) = judge.seen
    torch.testing.assert_close(value, form(judge.squared_norms(shown)))
    if curvature:
        assert value.unique().numel() > 1, "the samples differ, their penalties too"


@EVERY
@CURVATURES
def test_gradient_in_the_parameters_is_the_closed_forms(
    name: str, curvature: float, real: Tensor, fake: Tensor
) -> None:
    """What the optimizer sees, a second derivative of D, by differentiating the closed form."""
    penalty, _, form = CLOSED[name]
    judge = quadratic(curvature)
    penalty(judge, real, fake, None).mean().backward()
    expected = torch.autograd.grad(
        form(judge.squared_norms(judge.seen[0])).mean(), (judge.slope, judge.curvature)
    )
    torch.testing.assert_close(judge.slope.grad, expected[0])
    torch.testing.assert_close(judge.curvature.grad, expected[1])


@EVERY
def test_it_looks_where_the_paper_says(name: str, real: Tensor, fake: Tensor) -> None:
    penalty, where, _ = CLOSED[name]
    judge = quadratic(0.4)
    penalty(judge, real, fake, None)
    (shown,) = judge.seen
    if where == "real":
        assert shown.equal(real)
    elif where == "fake":
        assert shown.equal(fake)
    elif where == "around":
        noise = (shown - real).flatten()
        assert 0 < noise.abs().max() < 5 * 0.1
    else:
        share = ((shown - fake) / (real - fake)).flatten(1)
        assert ((share >= 0) & (share <= 1)).all()
        assert share.std(dim=1).max() < 1e-9, "one random number a sample, not one a pixel"
        assert share.mean(dim=1).std() > 0.01, "one random number a sample, not one a batch"


def test_interpolation_is_uniform() -> None:
    torch.manual_seed(0)
    ones = torch.ones(20_000, 1)
    judge = Quadratic(torch.zeros(1), 1.0)
    WGANGP()(judge, ones, 0 * ones, None)
    share = judge.seen[0]
    assert share.mean().item() == pytest.approx(1 / 2, abs=0.01)
    assert share.var().item() == pytest.approx(1 / 12, abs=0.005)


def test_dragan_noise_is_normal_per_pixel() -> None:
    torch.manual_seed(0)
    zeros = torch.zeros(200, 100)
    judge = Quadratic(torch.ones(100))
    DRAGAN(std=0.3)(judge, zeros, zeros, None)
    noise = judge.seen[0]
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)
    assert (noise**4).mean().item() == pytest.approx(3 * 0.3**4, rel=0.1), "normal, not uniform"


@pytest.mark.parametrize("name", ["wgan_gp", "wgan_lp", "wgan_div", "dragan"])
def test_random_points_repeat_with_the_global_seed(name: str, real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    values = []
    for _ in range(2):
        torch.manual_seed(5)
        values.append(CLOSED[name][0](judge, real, fake, None))
    assert values[0].equal(values[1])


@EVERY
def test_a_flat_discriminator_gives_finite_gradients(name: str, real: Tensor, fake: Tensor) -> None:
    """sqrt has an infinite slope at 0."""
    judge = Quadratic(torch.zeros(18).double())
    CLOSED[name][0](judge, real, fake, None).sum().backward()
    assert judge.slope.grad is not None
    assert torch.isfinite(judge.slope.grad).all()


def test_r1r2_is_the_sum(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    norms = judge.squared_norms(real) + judge.squared_norms(fake)
    torch.testing.assert_close(R1R2(3.0)(judge, real, fake, None), 1.5 * norms)


def test_sum_adds_and_keeps_state(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    both = Sum([R1(1.0), R2(2.0), LeCam().double()])
    expected = 0.5 * judge.squared_norms(real) + judge.squared_norms(fake)
    value = both(judge, real, fake, None)
    torch.testing.assert_close(value - LeCam().double()(judge, real, fake, None), expected)
    assert "stateful.0.anchors" in both.state_dict()


def told(penalty: Lazy | Scheduled, images_seen: int, *batch: Tensor) -> Tensor:
    """The penalty in the update of D after so many images."""
    penalty.follow(images_seen)
    return penalty(quadratic(0.4), *batch, None)


def test_lazy_is_the_same_on_average(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    lazy = Lazy(R1(2.0), every=4)
    values = torch.stack([told(lazy, 0, real, fake) for _ in range(8)])
    always = R1(2.0)(judge, real, fake, None)
    torch.testing.assert_close(values.mean(dim=0), always)
    torch.testing.assert_close(values[4], 4 * always)
    assert values[[1, 2, 3, 5, 6, 7]].abs().max() == 0
    lazy(judge, real, fake, None)
    assert len(judge.seen) == 1, "D is not even asked between"


def test_lazy_does_all_micro_batches_of_an_update(real: Tensor, fake: Tensor) -> None:
    lazy = Lazy(R1(2.0), every=2)
    for due in (True, False, True):
        lazy.follow(0)
        for part in range(3):
            rows = slice(2 * part, 2 * part + 2)
            value = lazy(quadratic(0.4), real[rows], fake[rows], None)
            assert bool(value.abs().max() > 0) == due


def test_count_travels_in_the_state(real: Tensor, fake: Tensor) -> None:
    straight, first, second = (Lazy(R1(), 3) for _ in range(3))
    whole = [told(straight, 0, real, fake) for _ in range(7)]
    for _ in range(4):
        told(first, 0, real, fake)
    second.load_state_dict(first.state_dict())
    for value in whole[4:]:
        torch.testing.assert_close(told(second, 0, real, fake), value)


def test_schedule_follows_half_a_cosine(real: Tensor, fake: Tensor) -> None:
    scheduled = Scheduled(R1(2.0), Cosine(5.0, 1.0, 4 * BATCH))
    always = R1(2.0)(quadratic(0.4), real, fake, None)
    for step in range(6):
        factor = 1 + 4 * (1 + math.cos(math.pi * min(step / 4, 1))) / 2
        torch.testing.assert_close(told(scheduled, step * BATCH, real, fake), factor * always)


def test_lecam_pulls_to_the_other_kinds_average(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    real_logits, fake_logits = judge(real).detach(), judge(fake).detach()
    lecam = LeCam(weight=0.3, decay=0.9).double()
    first = lecam(judge, real, fake, None)
    expected = (real_logits - fake_logits.mean()) ** 2 + (fake_logits - real_logits.mean()) ** 2
    torch.testing.assert_close(first, 0.3 * expected)
    second = lecam(judge, fake, real, None)  # exchanged, so that the averages move
    r = 0.9 * real_logits.mean() + 0.1 * fake_logits.mean()
    f = 0.9 * fake_logits.mean() + 0.1 * real_logits.mean()
    torch.testing.assert_close(second, 0.3 * ((fake_logits - f) ** 2 + (real_logits - r) ** 2))


def test_lecam_averages_are_no_path_for_gradients(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.0)
    lecam = LeCam(weight=1.0).double()
    lecam(judge, real, fake, None).mean().backward()
    r, f = real.flatten(1), fake.flatten(1)
    a, anchors = judge.slope.detach(), lecam.anchors
    expected = (2 * (r @ a - anchors[1])[:, None] * r + 2 * (f @ a - anchors[0])[:, None] * f).mean(
        0
    )
    torch.testing.assert_close(judge.slope.grad, expected)


class Brighten(Augment):
    def forward(self, images: Tensor) -> Tensor:
        return images + 0.5


def test_consistency_on_a_linear_discriminator(real: Tensor, fake: Tensor) -> None:
    """D(x) - D(x + 1/2) = -sum(slope) / 2 whatever x is."""
    judge = quadratic(0.0)
    value = Consistency(Brighten(), weight=2.0, fake_weight=3.0)(judge, real, fake, None)
    expected = 5.0 * (0.5 * judge.slope.sum()) ** 2
    torch.testing.assert_close(value, expected.expand(BATCH))


def test_no_penalty_does_not_even_ask_d(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(1.0)
    assert NoPenalty()(judge, real, fake, None).equal(torch.zeros(BATCH).double())
    assert judge.seen == []


def test_it_works_where_gradients_are_off(real: Tensor, fake: Tensor) -> None:
    judge = quadratic(0.4)
    with torch.no_grad():
        value = R1(3.0)(judge, real, fake, None)
        torch.testing.assert_close(value, 1.5 * judge.squared_norms(real))


def test_labels_reach_the_discriminator(real: Tensor, fake: Tensor) -> None:
    """D(x, y) = y sum(x): the gradient's norm is y sqrt(18)."""
    y = torch.arange(BATCH)

    def judge(x: Tensor, y: Tensor | None) -> Tensor:
        assert y is not None
        return y * x.flatten(1).sum(dim=1)

    expected = y.double().square() * 18
    torch.testing.assert_close(R1(2.0)(judge, real, fake, y), expected)
    torch.testing.assert_close(R1R2(1.0)(judge, real, fake, y), expected)
    gp = WGANGP(1.0)(judge, real, fake, y)
    torch.testing.assert_close(gp, (expected.sqrt() - 1) ** 2, atol=1e-5, rtol=1e-5)


def test_clipping_bounds_every_weight() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 5), nn.Conv2d(1, 1, 3))
    before = [p.detach().clone() for p in network.parameters()]
    ClipWeights(limit=0.1)(network)
    for old, new in zip(before, network.parameters(), strict=True):
        assert new.equal(old.clamp(-0.1, 0.1))
        assert new.requires_grad
