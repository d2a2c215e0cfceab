"""What labelled fakes are good for: classifiers trained or tested on them."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gan_lightning.data.batches import ImageTensors
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.features.training import train_classifier
from gan_lightning.metrics.intervals import Score, of_mean

PASSES = 40_000  # images a classifier sees: four epochs of 10,000 samples
WIDTH = 16


def classifier_accuracy_score(train: ImageTensors, test: ImageTensors, num_classes: int) -> Score:
    """Return the accuracy on `test` of a small classifier trained on `train`.

    Train on fakes and test on reals for the score; train on as many reals for its floor.
    Source: Ravuri & Vinyals 2019, Classification Accuracy Score for Conditional Generative Models.
    """
    epochs = max(1, min(40, PASSES // len(train)))
    network = train_classifier(train, num_classes, epochs, seed=0, width=WIDTH)
    return label_accuracy(FeatureNetwork(network, "", {}).embed(test.images).logits, test.labels)


def label_accuracy(logits: Tensor, labels: Tensor) -> Score:
    """Return the share of images whose logits[N, K] name the label asked for, labels[N].

    The logits are those of the data set's classifier.
    Source: Shmelkov et al. 2018, How good is my GAN?, section 3 (GAN-test).
    """
    return of_mean((logits.argmax(dim=1) == labels).to(torch.float64))


def category_accuracy(logits: Tensor, categories: Tensor) -> Score:
    """Return the share of images whose logits[N, K] name the class of their categories[N].

    Categories are matched one to one with classes in the generator's favour, so ten meaningless
    categories score above a tenth: 0.13 for 1,000 images, more for fewer.
    Source: Chen et al. 2016, InfoGAN, section 7.2 (which matches "each category to a digit type").
    """
    predictions, num_classes = logits.argmax(dim=1).cpu(), logits.shape[1]
    shape = (int(categories.max()) + 1, num_classes)
    together = torch.bincount(categories * num_classes + predictions, minlength=shape[0] * shape[1])
    rows, classes = linear_sum_assignment(together.view(shape).numpy(), maximize=True)
    meant = torch.full((shape[0],), -1)  # more categories than classes: some mean none
    meant[torch.from_numpy(rows)] = torch.from_numpy(classes)
    return of_mean((meant[categories] == predictions).to(torch.float64))
