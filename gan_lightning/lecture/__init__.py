"""The data of the lecture: `python -m gan_lightning.lecture marks`."""
