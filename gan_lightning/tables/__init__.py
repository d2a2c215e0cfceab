"""Tables of numbers and categories: read from CSV files, turned into points, and written back."""

from gan_lightning.tables.columns import MOST_COORDINATES, Column, Schema, read_schema
from gan_lightning.tables.reading import AUTO, Options, Table, encode_rows, read_table
