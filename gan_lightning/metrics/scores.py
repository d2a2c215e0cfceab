"""All scores of a set of images."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lightning.metrics.diversity import class_shares, entropy, kl_divergence, vendi_score
from gan_lightning.metrics.features.classifier import Embedded, require_one_unit
from gan_lightning.metrics.frechet import mean_of_known
from gan_lightning.metrics.intervals import Score, bootstrap, of_mean
from gan_lightning.metrics.kernel import inception_score, kernel_distance
from gan_lightning.metrics.neighbours import neighbour_scores
from gan_lightning.metrics.reals import RealStatistics

Scores = dict[str, Score]


@dataclass(frozen=True)
class Definition:
    """What a score is called, which way is better, and where it comes from."""

    title: str
    better: str  # "low", "high" or "reals": the nearer to what reals have
    source: str


# In the order of the table; docs/metrics.md has the formulas.
DEFINITIONS = {
    "fid": Definition("FID", "low", "Heusel et al. 2017, eq. 6"),
    "kid": Definition("KID x 1000", "low", "Binkowski et al. 2018, eq. 4"),
    "precision": Definition("precision", "high", "Kynkaanniemi et al. 2019, eq. 1-2, k=3"),
    "recall": Definition("recall", "high", "Kynkaanniemi et al. 2019, eq. 1-2, k=3"),
    "density": Definition("density", "high", "Naeem et al. 2020, eq. 5, k=5"),
    "coverage": Definition("coverage", "high", "Naeem et al. 2020, eq. 6, k=5"),
    "intra_fid": Definition("intra-FID", "low", "Miyato & Koyama 2018, section 4.1"),
    "class_kl": Definition("class KL", "low", "KL(fakes' classes | reals'), nats"),
    "inception_score": Definition("inception-style score", "high", "Salimans et al. 2016"),
    "class_entropy": Definition("class entropy", "reals", "of the predicted classes, nats"),
    "min_class_share": Definition("rarest class's share", "reals", "of the predicted classes"),
    "vendi": Definition("Vendi score", "reals", "Friedman & Dieng 2023, definition 3.1"),
    "label_accuracy": Definition("labels as asked for", "high", "Shmelkov et al. 2018"),
    "category_accuracy": Definition("categories that are classes", "high", "Chen et al. 2016"),
    "cas": Definition("classifier accuracy score", "high", "Ravuri & Vinyals 2019"),
    "closer": Definition("nearer than held-out reals", "reals", "Meehan et al. 2020"),
    "near": Definition("nearer than 99 % of them", "reals", "share of the fakes; 0.01 if new"),
    "p_value": Definition("p-value of no copying", "none", "Meehan et al. 2020"),
}


@torch.no_grad()
def reference_scores(
    fakes: Embedded, reals: RealStatistics, labels: Tensor | None = None, intervals: bool = True
) -> Scores:
    """Return the scores of fakes against one split of the reals.

    The intra-FID takes the labels int64[M] that the fakes were asked for; None: as predicted.
    `intervals=False` leaves out the costly intervals.

    Raises:
        UserError: fakes and reals were embedded by different networks.
    """
    require_one_unit([fakes.unit, reals.unit])
    features, predictions, count = fakes.features, fakes.predictions, len(fakes)
    given = predictions if labels is None else labels
    same = min(count, len(reals))  # the neighbour scores depend on both counts
    near = neighbour_scores(reals.subset(same).features, features[:same], reals.radii(same))
    expected = class_shares(reals.labels, reals.num_classes)

    def fid(rows: Tensor) -> float:
        return reals.frechet(features[rows])

    def intra_fid(rows: Tensor) -> float:
        return mean_of_known(reals.class_frechet(features[rows], given[rows]).values())

    def class_kl(rows: Tensor) -> float:
        return kl_divergence(class_shares(predictions[rows], reals.num_classes), expected)

    return {
        "fid": bootstrap(fid, count, intervals),
        "kid": kernel_distance(reals.embedded.features, features),
        **{name: of_mean(each) for name, each in near.items()},
        "intra_fid": bootstrap(intra_fid, count, intervals),
        "class_kl": bootstrap(class_kl, count, intervals),
    }


@torch.no_grad()
def own_scores(fakes: Embedded, classes: list[int], intervals: bool = True) -> Scores:
    """Return the scores that need no reals, `classes` being the labels in use."""
    predictions, num_classes = fakes.predictions, fakes.logits.shape[1]

    def shares(rows: Tensor) -> Tensor:
        return class_shares(predictions[rows], num_classes)

    scores: dict[str, Callable[[Tensor], float]] = {
        "class_entropy": lambda rows: entropy(shares(rows)),
        "min_class_share": lambda rows: shares(rows)[classes].min().item(),
        "vendi": lambda rows: vendi_score(fakes.features[rows]),
    }
    whole = {"inception_score": inception_score(fakes.logits)}
    return whole | {n: bootstrap(score, len(fakes), intervals) for n, score in scores.items()}


@torch.no_grad()
def cheap_scores(
    fakes: Embedded, reals: RealStatistics, neighbours: int | None = None
) -> dict[str, float]:
    """Return `fid`, `precision`, `recall`, `class_entropy` (nats) and `min_class_share`.

    The values are those of `evaluate.py` for the same images and the training split. Under
    several devices each may embed its part: join features and logits in the order of the samples.

    Precision and recall use the first `neighbours` images (their cost grows with the square, and
    their values depend on it); None: all.

    Raises:
        UserError: fakes and reals were embedded by different networks.
    """
    require_one_unit([fakes.unit, reals.unit])
    shares = class_shares(fakes.predictions, reals.num_classes)
    some = fakes.features[:neighbours]
    real_features = reals.subset(len(some)).features
    manifold = neighbour_scores(real_features, some, reals.radii(len(some)))
    return {
        "fid": reals.frechet(fakes.features),
        "precision": manifold["precision"].mean().item(),
        "recall": manifold["recall"].mean().item(),
        "class_entropy": entropy(shares),
        "min_class_share": shares[reals.classes].min().item(),
    }
