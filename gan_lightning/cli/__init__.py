"""Command lines: Hydra composes, `runs` and `evaluation` work, every ending has its exit status."""
