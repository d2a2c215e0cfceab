"""The machine, and distrust: files, locks, signals, checkpoints, and what strangers made."""
