"""Classifiers of the lecture: P(Y|X) learnt at once, or P(X|Y) P(Y) and Bayes' rule."""

import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from gan_lightning.cli.python import train
from gan_lightning.data.batches import ImageTensors
from gan_lightning.errors import UserError
from gan_lightning.lecture.trained import trained_module
from gan_lightning.metrics.features.training import train_classifier
from gan_lightning.networks import Density, GaussianMixture, HiddenMarkov, NaiveBayes
from gan_lightning.pixels import to_unit_range
from gan_lightning.training import VAEModule

Classes = Callable[[Tensor], Tensor]  # images uint8[N, C, H, W] -> labels int64[N]
CHUNK = 200  # images at a time
PASSES = 60_000  # images that a network sees
DRAWS = 8  # of the VAE's code, for log p(x|y)
QUIET = (
    *(f"callbacks.{name}=null" for name in ("progress_bar", "samples", "scores", "doctor")),
    *("logger=csv", "trainer.accelerator=cpu"),
)


@dataclass(frozen=True)
class Classifier:
    """A row of the table; `fit(images, labels 0 to K - 1, K, seed)` returns what classifies."""

    name: str
    learns: str  # P(Y|X), or P(X|Y) P(Y)
    fit: Callable[[ImageTensors, int, int], Classes]

    @property
    def generates(self) -> bool:
        return self.learns != "P(Y|X)"


def of_sklearn(make: Callable[[int], Any]) -> Callable[[ImageTensors, int, int], Classes]:
    """Return the fit of scikit-learn's classifiers, of pixels in [-1, 1]."""

    def fit(images: ImageTensors, classes: int, seed: int) -> Classes:
        model = make(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a hundred steps of logistic regression come close
            try:
                model.fit(_flat(images.images), images.labels.numpy())
            except ValueError as error:  # there is but one class, as a rule
                reason = str(error).partition("\n")[0]
                raise UserError(f"cannot be fitted to {len(images)} images: {reason}") from error
        return lambda x: torch.from_numpy(model.predict(_flat(x)).astype(np.int64))

    return fit


def _flat(images: Tensor) -> np.ndarray:
    return to_unit_range(images).flatten(1).numpy()


def logistic_regression(seed: int) -> Any:
    """Return scikit-learn's, multinomial."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.01, max_iter=100, random_state=seed)


def support_vectors(seed: int) -> Any:
    """Return scikit-learn's, with a Gaussian kernel."""
    from sklearn.svm import SVC

    return SVC(C=5.0, gamma="scale", random_state=seed)


def network(images: ImageTensors, classes: int, seed: int) -> Classes:
    """Train a small convolutional network on P(Y|X)."""
    epochs = max(1, PASSES // len(images))
    trained = train_classifier(images, classes, epochs, seed, width=16)

    @torch.inference_mode()
    def classify(x: Tensor) -> Tensor:
        parts = [trained(trained.prepare(to_unit_range(part))) for part in x.split(CHUNK)]
        return torch.cat(parts).argmax(dim=1)

    return classify


def density(make: Callable[..., Density]) -> Callable[[ImageTensors, int, int], Classes]:
    """Return the fit of a density for each label."""

    def fit(images: ImageTensors, classes: int, seed: int) -> Classes:
        model = make(image_shape=tuple(images.images.shape[1:]), num_classes=classes)
        model.fit(to_unit_range(images.images), images.labels, seed)
        return lambda x: torch.cat([model.classify(to_unit_range(p)) for p in x.split(CHUNK)])

    return fit


def variational(images: ImageTensors, classes: int, seed: int) -> Classes:
    """Train `model=vae` and classify by log p(x|y) + log P(y), p(x|y) from its encoder."""
    channels, side = images.images.shape[1:3]
    with TemporaryDirectory() as folder:
        file, run = Path(folder) / "images.npz", Path(folder) / "run"
        x, y = images.images.numpy(), images.labels.numpy()
        # A test split of one image: without any, a tenth of them would be held out.
        np.savez(file, images=x, labels=y, test_images=x[:1], test_labels=y[:1])
        data = [f"data.root={file}", f"data.channels={channels}", f"data.resolution={side}"]
        data += [f"data.num_classes={classes}"]
        epochs = f"trainer.max_epochs={max(1, round(2 * PASSES / len(images)))}"
        with redirect_stdout(StringIO()):
            train(
                ["data=array", *data, "model=vae", epochs, f"seed={seed}", f"run_dir={run}", *QUIET]
            )
        module = cast(VAEModule, trained_module(run))
    prior = torch.bincount(images.labels, minlength=classes) / len(images)
    return by_evidence(module, prior, seed)


def by_evidence(module: VAEModule, prior: Tensor, seed: int) -> Classes:
    """Return Bayes' rule for a conditional VAE and P(y) [K]; log p(x|y) is estimated."""

    def joint(x: Tensor) -> Tensor:
        labels = range(len(prior))
        every = [module.log_evidence(x, torch.full((len(x),), y), DRAWS) for y in labels]
        return torch.stack(every, dim=1) + prior.log()

    def classify(x: Tensor) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([joint(to_unit_range(part)).argmax(dim=1) for part in x.split(CHUNK)])

    return classify


CLASSIFIERS = (
    Classifier("logistic regression", "P(Y|X)", of_sklearn(logistic_regression)),
    Classifier("support vector machine", "P(Y|X)", of_sklearn(support_vectors)),
    Classifier("neural network", "P(Y|X)", network),
    Classifier("naive Bayes", "P(X|Y) P(Y)", density(NaiveBayes)),
    Classifier("Gaussian mixture", "P(X|Y) P(Y)", density(GaussianMixture)),
    Classifier("hidden Markov model", "P(X|Y) P(Y)", density(HiddenMarkov)),
    Classifier("conditional VAE", "P(X|Y) P(Y)", variational),
)
