"""One judge for all candidates: the same reals, the same network, the same counts."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from gan_lightning.data import DataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.metrics.diversity import class_shares
from gan_lightning.metrics.features.classifier import Embedded, FeatureNetwork
from gan_lightning.metrics.intervals import Score
from gan_lightning.metrics.label_scores import (
    category_accuracy,
    classifier_accuracy_score,
    label_accuracy,
)
from gan_lightning.metrics.memorisation import Memorisation, memorisation_test
from gan_lightning.metrics.neighbours import nearest
from gan_lightning.metrics.reals import real_statistics
from gan_lightning.metrics.scores import Scores, own_scores, reference_scores

REFERENCES = ("train", "test")


@dataclass(frozen=True)
class Verdict:
    """The scores of one set of images."""

    scores: dict[str, Scores]  # by reference: `train`, `test`, or `own` for those that need none
    shares: Tensor  # float64[K], the predicted classes
    predictions: Tensor  # int64[M]
    memorisation: Memorisation  # of the training split
    class_fid: dict[int, float]  # Frechet distance to the training split, class by class


class Judge:
    """Scores sets of images, and real images for the floors.

    Floors are scores of reals that are not in the reference: the test split against the training
    split, and random training images against the test split, as many as the fakes, `count` (or as
    many as there are).
    """

    def __init__(self, data: DataModule, network: FeatureNetwork, count: int) -> None:
        self.data, self.network, self.count = data, network, count
        self.reals = {
            name: real_statistics(data, network, train=name == "train") for name in REFERENCES
        }

    def judge(
        self, images: Tensor, labels: Tensor | None, categories: Tensor | None = None
    ) -> Verdict:
        """Score images uint8[M, C, H, W] and, if given, their labels or categories int64[M]."""
        fakes, train = self.network.embed(images), self.reals["train"]
        scores = {name: reference_scores(fakes, self.reals[name], labels) for name in REFERENCES}
        scores["own"] = own_scores(fakes, self.data.classes)
        copies = memorisation_test(fakes.features, self.held_out, train.embedded.features)
        scores["own"] |= _copying(copies)
        if labels is not None:
            scores["own"]["label_accuracy"] = label_accuracy(fakes.logits, labels)
            scores["own"]["cas"] = self.accuracy_of(ImageTensors(images, labels))
        if categories is not None:
            scores["own"]["category_accuracy"] = category_accuracy(fakes.logits, categories)
        given = fakes.predictions if labels is None else labels
        return Verdict(
            scores=scores,
            shares=class_shares(fakes.predictions, self.data.num_classes),
            predictions=fakes.predictions,
            memorisation=copies,
            class_fid=train.class_frechet(fakes.features, given),
        )

    @cached_property
    def held_out(self) -> Tensor:
        """Squared distances [N] of the test split to their nearest training images."""
        train, test = (self.reals[name].embedded.features for name in ("train", "test"))
        return nearest(test, train)[0][:, 0]

    def accuracy_of(self, train: ImageTensors) -> Score:
        """Return the test accuracy of a classifier trained on these images."""
        test = self.data.split(train=False)
        return classifier_accuracy_score(train, test, self.data.num_classes)

    def _rows(self, split: str) -> tuple[Embedded, Tensor]:
        """Return random reals of a split and their labels."""
        reals = self.reals[split]
        return reals.subset(self.count), reals.labels[reals.order[: self.count]]

    @cached_property
    def floors(self) -> dict[str, Scores]:
        """The scores of the reals, but for `cas`: see `accuracy_floor`."""
        (train, train_labels), (test, test_labels) = self._rows("train"), self._rows("test")
        floors = {
            "train": reference_scores(test, self.reals["train"], test_labels, intervals=False),
            "test": reference_scores(train, self.reals["test"], train_labels, intervals=False),
            "own": own_scores(test, self.data.classes, intervals=False),
        }
        accuracy = label_accuracy(test.logits, test_labels)
        floors["own"] |= {"label_accuracy": accuracy, "category_accuracy": accuracy}
        # Held-out reals against other held-out reals: the halves of the test split.
        half = len(test) // 2
        whole = self.reals["train"].embedded.features
        others = nearest(test.features[half:], whole)[0][:, 0]
        copies = memorisation_test(test.features[:half], others, whole)
        floors["own"] |= _copying(copies)
        return floors

    def accuracy_floor(self) -> Score:
        """Return the classifier accuracy score of as many reals of the training split."""
        rows = self.reals["train"].order[: self.count]
        return self.accuracy_of(ImageTensors(*self.data.split(train=True)[rows]))

    @property
    def floor_counts(self) -> dict[str, int]:
        """The number of reals behind each floor."""
        train, test = (min(self.count, len(self.reals[name])) for name in REFERENCES)
        return {"train": test, "test": train}


def _copying(found: Memorisation) -> Scores:
    closer, p_value = Score(found.closer), Score(found.p_value)
    return {"closer": closer, "near": found.near, "p_value": p_value}
