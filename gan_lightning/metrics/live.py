"""The cheap scores, for curves during training."""

import torch

from gan_lightning.metrics.diversity import class_shares, entropy
from gan_lightning.metrics.features import Embedded, require_one_unit
from gan_lightning.metrics.neighbours import neighbour_scores
from gan_lightning.metrics.reals import RealStatistics


@torch.no_grad()
def cheap_scores(
    fakes: Embedded, reals: RealStatistics, neighbours: int | None = None
) -> dict[str, float]:
    """Return `fid`, `precision`, `recall`, `class_entropy` (nats) and `min_class_share`.

        network = feature_network(data)              # shipped, cached or trained now; once a run
        reals = real_statistics(data, network)       # cached on disk; once a run
        scores = cheap_scores(network.embed(images), reals)

    The values are those of `evaluate.py` for the same images and the training split. Under
    several devices each may embed its part: join features and logits in the order of the samples.

    Args:
        fakes: embedded images.
        reals: of the training split.
        neighbours: how many of the first images precision and recall look at (their cost grows
            with the square, and their values depend on it); None: all.

    Raises:
        UserError: fakes and reals are in the spaces of different networks.
    """
    require_one_unit([fakes.unit, reals.unit])
    shares = class_shares(fakes.predictions, reals.num_classes)[reals.classes]
    some = fakes.features[:neighbours]
    real_features = reals.subset(len(some)).features
    manifold = neighbour_scores(real_features, some, reals.radii(len(some)))
    return {
        "fid": reals.frechet(fakes.features),
        "precision": manifold["precision"].mean().item(),
        "recall": manifold["recall"].mean().item(),
        "class_entropy": entropy(class_shares(fakes.predictions, reals.num_classes)),
        "min_class_share": shares.min().item(),
    }
