"""Densities: what is drawn, log p(x|y) and Bayes' rule are those of the same distribution."""

import dataclasses
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hmmlearn.hmm import GaussianHMM
from sklearn.mixture import GaussianMixture as Mixture
from sklearn.naive_bayes import CategoricalNB
from torch import Tensor

from gan_lightning.data import DigitsDataModule
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import load_generator, save_generator
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.networks import Density, GaussianMixture, HiddenMarkov, NaiveBayes
from gan_lightning.networks.density import uniform
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.sampling.draw import sample
from tests.tiny import fitted, nearly_black

DENSITIES = [NaiveBayes, GaussianMixture, HiddenMarkov]
EVERY = pytest.mark.parametrize("cls", DENSITIES, ids=lambda cls: cls.__name__)
SMALL = {NaiveBayes: {"levels": 4}, GaussianMixture: {"principal": 3, "components": 2}}
SMALL[HiddenMarkov] = {"bands": 2, "kinds": 2, "iterations": 3, "floor": 0.01}
LESS = {HiddenMarkov: {"images": 150, "iterations": 1}}  # as good, and quicker


@cache
def small(cls: type[Density], num_classes: int = 3) -> Density:
    """A density of images of 2 x 3 x 3 numbers, fitted; do not change it."""
    return fitted(cls([2, 3, 3], num_classes, **SMALL[cls]))


@cache
def digits(train: bool) -> tuple[Tensor, Tensor]:
    data = DigitsDataModule(name="digits")
    images, labels = data.split(train)[torch.arange(1500 if train else 297)]
    return to_unit_range(images), labels


@cache
def of_digits(cls: type[Density]) -> Density:
    density = cls([1, 28, 28], 10, **LESS.get(cls, {}))
    density.fit(*digits(True))
    return density


@EVERY
def test_bayes_rule_reads_digits(cls: type[Density]) -> None:
    x, y = digits(False)
    assert (of_digits(cls).classify(x) == y).float().mean() > 0.8


@EVERY
def test_what_is_drawn_is_read_as_its_label(cls: type[Density]) -> None:
    images, labels = sample(of_digits(cls), 100, labels=list(range(10)))
    assert labels is not None
    assert (of_digits(cls).classify(images) == labels).float().mean() > 0.8


@EVERY
def test_the_joint_is_made_of_the_likelihood_and_the_prior(cls: type[Density]) -> None:
    density, x = small(cls), 2 * torch.rand(5, 2, 3, 3) - 1
    every = [density.log_prob(x, torch.full((5,), label)) for label in range(3)]
    torch.testing.assert_close(density.log_joint(x), torch.stack(every, 1) + math.log(1 / 3))
    assert torch.equal(density.classify(x), density.log_joint(x).argmax(1))


@EVERY
def test_it_does_without_labels(cls: type[Density]) -> None:
    density = small(cls, 0)
    x = density(torch.randn(4, density.latent_dim))
    assert torch.equal(density.log_joint(x)[:, 0], density.log_prob(x))
    with pytest.raises(UserError, match="without labels and cannot classify"):
        density.classify(x)


@EVERY
def test_a_label_without_images_is_never_found(cls: type[Density]) -> None:
    density, x = cls([2, 3, 3], 4, **SMALL[cls]), 2 * torch.rand(40, 2, 3, 3) - 1
    density.fit(x, torch.arange(40) % 3)
    assert density.log_prior.tolist() == pytest.approx(
        [math.log(14 / 40), math.log(13 / 40), math.log(13 / 40), -math.inf]
    )
    assert (density.classify(x) < 3).all()
    assert all(buffer.isfinite().all() for buffer in density.buffers())
    assert density(torch.randn(2, density.latent_dim), torch.tensor([3, 3])).isfinite().all()


@EVERY
def test_points_have_a_density_too(cls: type[Density]) -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(500, 2, 1, 1, generator=random) * 0.1 + 0.5
    density = cls([2, 1, 1], **({"floor": 0.01} if cls is HiddenMarkov else {}))
    density.fit(x.clamp(-1, 1))
    line = torch.linspace(-1, 1, 401)[:-1] + 0.0025
    grid = torch.cartesian_prod(line, line)[:, :, None, None]
    mass = density.log_prob(grid).double().exp().sum().item() * 0.005**2
    assert mass == pytest.approx(1, abs=0.01)
    drawn, _ = sample(density, 1000)
    torch.testing.assert_close(drawn.mean(0), x.mean(0), atol=0.05, rtol=0)


@EVERY
def test_a_fit_is_a_function_of_images_and_seed(cls: type[Density]) -> None:
    other = fitted(cls([2, 3, 3], 3, **SMALL[cls]))
    for name, value in small(cls).state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@EVERY
def test_a_file_holds_all_of_it(cls: type[Density], tmp_path: Path) -> None:
    density = of_digits(cls)
    arguments = {"image_shape": [1, 28, 28], "num_classes": 10} | LESS.get(cls, {})
    metadata = GeneratorMetadata(
        cls.__name__, arguments, density.latent_dim, [1, 28, 28], 10, list(range(10)), "digits", 1
    )
    save_generator(tmp_path / "x.safetensors", density, metadata)
    read = load_generator(tmp_path / "x.safetensors")
    assert isinstance(read, cls)
    assert dataclasses.asdict(read.metadata) == dataclasses.asdict(metadata)
    many, _ = sample(read, 150)
    few, _ = sample(density, 7, labels=list(range(10)))
    assert torch.equal(many[:7], few), "sample i depends on how many are drawn"
    x, _ = digits(False)
    assert torch.equal(read.log_joint(x[:20]), density.log_joint(x[:20]))


def test_too_few_images_are_the_users_error() -> None:
    with pytest.raises(UserError, match="principal=5 needs as many images, and there are 4"):
        GaussianMixture([1, 4, 4], principal=5).fit(torch.rand(4, 1, 4, 4))
    mixture = GaussianMixture([1, 4, 4], 2, principal=3, components=4)
    with pytest.raises(UserError, match="cannot be fitted to 3 images of label 1: "):
        mixture.fit(torch.rand(9, 1, 4, 4), torch.tensor([0] * 6 + [1] * 3))


def test_naive_bayes_draws_its_histograms() -> None:
    """u uniform in (0, 1) at even distances: a bin gets its share of them, evenly spread."""
    density = small(NaiveBayes)
    u = (torch.arange(1000) + 0.5) / 1000
    z = torch.special.ndtri(u)[:, None].expand(-1, density.latent_dim)
    x = density(z, torch.full((1000,), 2)).flatten(1)
    assert (x.diff(dim=0) > 0).all(), "F^-1 rises"
    found = torch.stack([torch.histc(pixel, 4, -1, 1) for pixel in x.T]) / 1000
    torch.testing.assert_close(found, density.probability[2], atol=0.002, rtol=0)


def test_uniform_is_phi() -> None:
    z = torch.cat([torch.linspace(-6, 6, 200_001), torch.tensor([-40.0, 40.0])])
    u = uniform(z)
    assert (u.double() - torch.special.ndtr(z.double())).abs().max() < 2e-7
    assert u.min() > 0
    assert u.max() == 1


def test_naive_bayes_draws_what_older_versions_drew() -> None:
    """They took Phi from torch; their files have the same bins."""
    density = NaiveBayes([1, 12, 12])
    density.fit(nearly_black(6000))
    z = torch.randn(1000, 144, generator=torch.Generator().manual_seed(0))
    edges = density.probability[0].cumsum(dim=1)
    u = torch.special.ndtr(z)
    level = (u[..., None] > edges[:, :-1]).sum(dim=2)
    inside, above = (t.expand(1000, -1, -1) for t in (density.probability[0], edges))
    inside, above = (t.gather(2, level[..., None])[..., 0] for t in (inside, above))
    drawn = (level + ((u - above) / inside + 1).clamp(0, 1)) / 16 - 1
    off = to_uint8(density(z)).flatten(1).int() - to_uint8(drawn).int()
    assert off.abs().max() <= 1
    assert (off != 0).float().mean() < 1e-4


def test_naive_bayes_counts_as_scikit_learn_does() -> None:
    """And its density is the probability over the width of a bin: it integrates to 1."""
    random = torch.Generator().manual_seed(2)
    x, y = 2 * torch.rand(30, 2, 2, 2, generator=random) - 1, torch.arange(30) % 3
    density = NaiveBayes([2, 2, 2], 3, levels=5, smoothing=0.7)
    density.fit(x, y)
    level = ((x.flatten(1) + 1) * 2.5).long()
    counted = CategoricalNB(alpha=0.7, min_categories=5).fit(level, y)
    expected = torch.from_numpy(np.stack(counted.feature_log_prob_, axis=1)).float()
    torch.testing.assert_close(density.probability.log(), expected)
    joint = density.log_joint(x) - 8 * math.log(5 / 2)
    expected = torch.from_numpy(counted.predict_joint_log_proba(level)).float()
    torch.testing.assert_close(joint, expected)


def test_a_mixture_is_scikit_learns_and_noise_beside_it() -> None:
    density, x = small(GaussianMixture), torch.rand(6, 2, 3, 3)
    assert isinstance(density, GaussianMixture)
    mixture = Mixture(2)
    mixture.weights_ = density.weights[1].double().numpy()
    mixture.means_ = density.means[1].double().numpy()
    factors = density.factors[1].double()
    mixture.precisions_cholesky_ = torch.linalg.inv(factors).transpose(1, 2).numpy()
    c = (x.flatten(1) - density.centre) @ density.basis.T
    rest = x.flatten(1) - density.centre - c @ density.basis
    noise = torch.distributions.Normal(0.0, density.noise.sqrt())
    # 18 - 3 other directions: of the 18 coordinates' density, take away three at 0.
    beside = noise.log_prob(rest).sum(1) - 3 * noise.log_prob(torch.zeros(()))
    expected = torch.from_numpy(mixture.score_samples(c.double().numpy())).float() + beside
    torch.testing.assert_close(density.log_prob(x, torch.ones(6).long()), expected)


def test_a_mixture_draws_each_gaussian_as_often_as_it_weighs() -> None:
    density = GaussianMixture([2, 1, 1], components=2)
    density.weights.copy_(torch.tensor([[0.3, 0.7]]))
    density.means.copy_(torch.tensor([[[-0.5, 0.2], [0.5, -0.2]]]))
    density.factors.mul_(0.01)
    x, _ = sample(density, 1000)
    assert (x[:, 0] < 0).float().mean().item() == pytest.approx(0.3, abs=0.04)
    deviation = x[x[:, 0, 0, 0] > 0].std(0).flatten()
    torch.testing.assert_close(deviation, torch.full((2,), 0.01), atol=0.001, rtol=0)


def test_an_hmm_is_hmmlearns() -> None:
    density, x = small(HiddenMarkov), 2 * torch.rand(6, 2, 3, 3) - 1
    assert isinstance(density, HiddenMarkov)
    start, transition, means, variances = (
        t[1].double().numpy()
        for t in (density.start, density.transition, density.means, density.variances)
    )
    model = GaussianHMM(4, "diag", init_params="")
    model.startprob_ = start / start.sum()
    model.transmat_ = transition / transition.sum(1, keepdims=True)
    model.means_, model.covars_ = means, variances
    rows = x.transpose(1, 2).flatten(2).double().numpy()  # both channels of a row
    expected = torch.tensor([model.score(image) for image in rows]).float()
    torch.testing.assert_close(density.log_prob(x, torch.ones(6).long()), expected)


def test_an_hmm_walks_as_its_transitions_say() -> None:
    """States that emit nearly themselves: the rows of samples are the path."""
    density = HiddenMarkov([1, 3, 1], bands=1, kinds=2)
    density.start.copy_(torch.tensor([[0.8, 0.2]]))
    density.transition.copy_(torch.tensor([[[0.9, 0.1], [0.5, 0.5]]]))
    density.means.copy_(torch.tensor([[[-0.5], [0.5]]]))
    density.variances.fill_(1e-4)
    path = (sample(density, 3000)[0].flatten(1) > 0).long()
    first, then = path[:, :2].flatten(), path[:, 1:].flatten()
    assert path[:, 0].float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert then[first == 0].float().mean().item() == pytest.approx(0.1, abs=0.03)
    assert then[first == 1].float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_no_variance_of_an_hmm_is_below_the_floor() -> None:
    """Pixels that are always black would be infinitely likely to be black."""
    x = torch.full((20, 1, 4, 4), -1.0)
    density = HiddenMarkov([1, 4, 4], bands=2, kinds=1, floor=0.05)
    density.fit(x)
    torch.testing.assert_close(density.variances, torch.full_like(density.variances, 0.05))
    assert density.log_prob(x).isfinite().all()
