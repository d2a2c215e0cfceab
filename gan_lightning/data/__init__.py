"""Data sets as uint8, in memory or in shards, batches by index, [-1, 1] on the device."""

from gan_lightning.data.base import DataModule, DataUnavailable
from gan_lightning.data.digits import DigitsDataModule
from gan_lightning.data.from_disk import ArrayDataModule, ImageFolderDataModule, count_labels
from gan_lightning.data.images import ImageDataModule
from gan_lightning.data.mnist import MNISTDataModule
from gan_lightning.data.points import (
    DiracDataModule,
    GridDataModule,
    PointsDataModule,
    RingDataModule,
)
from gan_lightning.data.shards import ShardsDataModule, shards_hold
from gan_lightning.data.stacked import StackedMNISTDataModule
from gan_lightning.data.table import TableDataModule, table_size
