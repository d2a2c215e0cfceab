"""Command lines: Hydra composes the config, `runs` or `evaluation` does the work, and each
ending has its exit status.
"""
