"""Damage moves the scores that should see it, the more the worse, and not the others."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.metrics import kernel
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.memorisation import memorisation_test
from gan_lightning.metrics.neighbours import nearest
from gan_lightning.metrics.scores import cheap_scores, own_scores, reference_scores
from tests.metrics.conftest import Halves

Found = dict[str, float]


def blurred(images: Tensor, strength: float) -> Tensor:
    soft = F.avg_pool2d(images.float(), 9, stride=1, padding=4)
    return (images * (1 - strength) + soft * strength).to(torch.uint8)


def noisy(images: Tensor, strength: float) -> Tensor:
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + noise * 255 * strength).clamp(0, 255).to(torch.uint8)


def shifted(images: Tensor, strength: float) -> Tensor:
    return images.roll(round(strength), dims=-1)


@pytest.fixture(scope="module", autouse=True)
def few_subsets() -> Iterator[None]:
    """KID's fifty subsets take most of the time, and all are of the same 750 images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "SUBSETS", 4)
        yield


def measure(halves: Halves, network: FeatureNetwork, images: Tensor) -> Found:
    fakes = network.embed(images)
    scores = reference_scores(fakes, halves.reals, intervals=False)
    scores |= own_scores(fakes, halves.reals.classes, intervals=False)
    return {name: score.value for name, score in scores.items()}


@pytest.fixture(scope="module")
def floor(halves: Halves, network: FeatureNetwork) -> Found:
    return measure(halves, network, halves.images)


def rises(values: list[float]) -> bool:
    return all(b > a for a, b in pairwise(values))


def test_reals_have_the_floor(floor: Found) -> None:
    assert floor["fid"] < 5
    assert floor["precision"] > 0.6
    assert floor["recall"] > 0.6
    assert 0.8 < floor["density"] < 1.2
    assert floor["coverage"] > 0.8
    assert floor["class_kl"] < 0.02
    assert floor["min_class_share"] > 0.07


def test_the_same_images_are_perfect(halves: Halves) -> None:
    found = cheap_scores(halves.reals.embedded, halves.reals)
    assert found["fid"] == pytest.approx(0, abs=1e-6)
    assert (found["precision"], found["recall"]) == (1, 1)


@pytest.mark.parametrize(
    ("damage", "strengths"),
    [(blurred, [0.4, 0.7, 1.0]), (noisy, [0.1, 0.2, 0.3]), (shifted, [2, 4, 7])],
)
def test_bad_images(
    damage: Callable[[Tensor, float], Tensor],
    strengths: list[float],
    halves: Halves,
    network: FeatureNetwork,
    floor: Found,
) -> None:
    found = [measure(halves, network, damage(halves.images, s)) for s in strengths]
    for name in ("fid", "kid", "intra_fid"):
        assert rises([floor[name], *(f[name] for f in found)]), name
    for name in ("precision", "density", "coverage"):
        assert rises([-floor[name], *(-f[name] for f in found)]), name
    # The mildest damage leaves every digit what it was.
    assert found[0]["class_entropy"] == pytest.approx(floor["class_entropy"], abs=0.05)


def test_missing_classes(halves: Halves, network: FeatureNetwork, floor: Found) -> None:
    kept = [halves.images[~torch.isin(halves.labels, torch.arange(n))] for n in (1, 3, 6)]
    found = [measure(halves, network, images) for images in kept]
    for name in ("fid", "class_kl"):
        assert rises([floor[name], *(f[name] for f in found)]), name
    for name in ("recall", "coverage", "class_entropy", "inception_score", "vendi"):
        assert rises([-floor[name], *(-f[name] for f in found)]), name
    assert all(f["min_class_share"] < 0.01 for f in found)
    # What is there is as good as before.
    assert found[0]["precision"] == pytest.approx(floor["precision"], abs=0.05)
    assert found[0]["density"] == pytest.approx(floor["density"], abs=0.1)


def test_duplicated_images(halves: Halves, network: FeatureNetwork, floor: Found) -> None:
    order = torch.randperm(750, generator=torch.Generator().manual_seed(1))
    # Five of each: every third nearest neighbour is a twin, the radii and with them recall are 0.
    few = [order[: 750 // n].repeat(n) for n in (2, 5)]
    found = [measure(halves, network, halves.images[rows]) for rows in few]
    for name in ("recall", "coverage", "vendi"):
        assert rises([-floor[name], *(-f[name] for f in found)]), name
    assert rises([floor["fid"], *(f["fid"] for f in found)])
    assert found[0]["precision"] == pytest.approx(floor["precision"], abs=0.07)
    assert found[0]["density"] == pytest.approx(floor["density"], abs=0.15)
    assert found[0]["class_entropy"] == pytest.approx(floor["class_entropy"], abs=0.05)


def test_wrong_classes_move_the_intra_fid_alone(halves: Halves) -> None:
    wrong = (halves.labels + 1) % 10
    right, mixed = (
        reference_scores(halves.embedded, halves.reals, labels, intervals=False)
        for labels in (halves.labels, wrong)
    )
    assert mixed["intra_fid"].value > 5 * right["intra_fid"].value
    assert mixed["fid"] == right["fid"]


def test_order_and_batch_size_do_not_matter(
    halves: Halves, network: FeatureNetwork, floor: Found
) -> None:
    order = torch.randperm(750, generator=torch.Generator().manual_seed(2))
    found = measure(halves, network, halves.images[order])
    for name in floor:
        tolerance = 0.05 if name in ("kid", "inception_score") else 1e-4  # random subsets
        assert found[name] == pytest.approx(floor[name], rel=tolerance, abs=tolerance), name
    one, other = network.embed(halves.images, 7), network.embed(halves.images, 500)
    assert torch.allclose(one.features, other.features, atol=1e-4)


def test_intervals_cover_the_scatter_of_samples(halves: Halves) -> None:
    scores = reference_scores(halves.embedded, halves.reals)
    for name in ("fid", "precision", "density", "intra_fid", "class_kl"):
        assert 0 < scores[name].margin < 3 * scores[name].value, name


def test_memorisation(halves: Halves) -> None:
    """New reals pass; the more copies, the smaller p, and the pairs are the copies."""
    training = halves.reals.embedded.features
    new, held_out = halves.embedded.features[:375], halves.embedded.features[375:]
    expected = nearest(held_out, training)[0][:, 0]
    found = [
        memorisation_test(torch.cat([training[:copies], new[copies:]]), expected, training)
        for copies in (0, 40, 120, 300)
    ]
    assert found[0].p_value > 0.01
    assert found[0].closer == pytest.approx(0.5, abs=0.1)  # five standard deviations
    assert rises([-f.p_value for f in found])
    assert rises([f.closer for f in found])
    assert found[0].near.value < 0.04
    assert found[1].near.value > 0.1  # 40 copies of 375
    assert found[-1].p_value < 1e-10
    assert found[-1].neighbours[:300].tolist() == list(range(300))
    assert (found[-1].pairs[:, 0] == found[-1].pairs[:, 1]).all()
