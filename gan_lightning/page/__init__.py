"""python -m gan_lightning.page: a local page to play with a generator, and the lab."""
