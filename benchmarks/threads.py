"""Steps/s of a small D on all cores, with OpenMP threads that spin and that sleep while they wait.

python benchmarks/threads.py            # alone, and beside a process that keeps one core busy
"""

import os
import subprocess
import sys
import time

CODE = """
import time, torch
from torch import nn
from torch.nn import functional as F
d = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1),
                  nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 3, 2, 1), nn.Flatten(), nn.Linear(1024, 1))
x = torch.randn(64, 1, 28, 28)
def step():
    real = x.clone().requires_grad_(True)
    logits = d(real)
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    (F.softplus(-logits).mean() + gradient.square().sum()).backward()
for _ in range(5): step()
start, count = time.perf_counter(), 0
while time.perf_counter() - start < 8:
    step()
    count += 1
print(count / (time.perf_counter() - start))
"""


def rate(policy: str) -> float:
    environment = os.environ | {"OMP_WAIT_POLICY": policy}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    for busy in (False, True):
        neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
        time.sleep(1)
        for _ in range(3):
            rates = {policy: rate(policy) for policy in ("ACTIVE", "PASSIVE")}
            where = "beside a busy process" if busy else "alone"
            print(where, {policy: f"{value:.1f} steps/s" for policy, value in rates.items()})
        if neighbour:
            neighbour.kill()


if __name__ == "__main__":
    main()
