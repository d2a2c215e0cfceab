"""The loggers of a run, from settings."""

from functools import partial
from typing import Any

from hydra.utils import get_object
from lightning.pytorch.loggers import Logger

from gan_lightning.config import Settings
from gan_lightning.config.nodes import build_node, part_nodes
from gan_lightning.loggers import Guarded, MetricsCSV, TensorBoard, Tool


def build_loggers(settings: Settings, images_seen: int, shown: Settings) -> list[Any]:
    """Return the loggers of a run that goes on from a position, which `shown` settings describe.

    Each is made at its first use, and never ends the training.
    """
    made = []
    for key, node in part_nodes(settings, "logger").items():
        kind = get_object(node["_target_"])
        make = partial(_logger, node, key, images_seen, shown)
        made.append(Guarded(key, kind if isinstance(kind, type) else Logger, make))
    return made


def _logger(node: Settings, key: str, images_seen: int, shown: Settings) -> Any:
    logger = build_node(node, key)
    if isinstance(logger, MetricsCSV | TensorBoard):
        logger.resume(images_seen)  # later points are measured again
    if isinstance(logger, TensorBoard | Tool):
        logger.log_hyperparams(shown)
    return logger
