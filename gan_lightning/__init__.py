"""Train, measure and use small-image GANs."""

import os

__version__ = "0.1.0"

# Before torch loads OpenMP: let threads that wait for others sleep rather than spin. When anything
# else wants a core, a spinning team loses its time slices at every layer: 0.7 steps/s instead of
# 19 on 2 cores (benchmarks/threads.py). A value of your own stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
