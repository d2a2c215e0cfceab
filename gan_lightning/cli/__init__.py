"""Command lines: Hydra composes, `runs` or `evaluation` works, each ending has its exit status."""
