"""What `sample.py` can do with a trained generator: `mode=...`."""
