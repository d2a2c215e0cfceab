"""Where curves, pictures and settings go, all on the images_seen axis."""

from gan_lightning.loggers.guarded import Guarded
from gan_lightning.loggers.metrics_csv import MetricsCSV
from gan_lightning.loggers.mlflow import MLflow
from gan_lightning.loggers.tensorboard import TensorBoard
from gan_lightning.loggers.tool import Tool
from gan_lightning.loggers.trackio import Trackio
from gan_lightning.loggers.wandb import Wandb
