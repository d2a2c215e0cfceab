"""A search over settings by Optuna: each trial is a run of train.py, pruned by its live score."""
