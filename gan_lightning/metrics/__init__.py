"""Scores of generated images, each with its unit and its real-versus-real floor.

network = feature_network(data)             # its pinned classifier: shipped, cached or trained
reals = real_statistics(data, network)      # computed once, cached beside the data
cheap_scores(network.embed(images), reals)  # {"fid": ..., "precision": ..., ...}
"""

from gan_lightning.metrics.features.classifier import Embedded, FeatureNetwork
from gan_lightning.metrics.features.store import feature_network
from gan_lightning.metrics.reals import RealStatistics, real_statistics
from gan_lightning.metrics.scores import cheap_scores
