"""One training run, from settings to a generator file; resuming it, and what it leaves behind."""
