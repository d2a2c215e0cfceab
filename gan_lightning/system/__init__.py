"""The machine: files, locks, signals, checkpoints on disk, and untrusted files."""
