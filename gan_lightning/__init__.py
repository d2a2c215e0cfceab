"""Train, measure and use small-image GANs."""

import os

__version__ = "0.1.0"

# Before torch loads OpenMP: let threads that wait for others sleep rather than spin. It costs 6 %
# alone on 2 cores and wins a third beside one busy process (benchmarks/threads.py); at a load of
# 5.6, spinning (libgomp's default) was once seen at 0.7 steps/s against 19. Your own value stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
