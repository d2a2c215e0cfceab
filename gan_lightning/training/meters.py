"""Running means between two points of the curves."""

import time
from typing import Any

import torch
from lightning.pytorch.strategies import Strategy
from torch import Tensor


class Meters:
    """Averages per-step values on their device; one synchronisation per point, not per step."""

    def __init__(self, every_n_images: int) -> None:
        self.every_n_images = every_n_images  # over all ranks, from one point to the next
        self.last: dict[str, float] = {}  # the latest point; empty before the first
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._values: dict[str, float] = {}
        self._images = self._timed = 0
        self._since = self._last = time.perf_counter()

    def add(self, name: str, value: Tensor) -> None:
        """Count a scalar towards the mean of this interval."""
        value = value.detach()
        self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counts[name] = self._counts.get(name, 0) + 1

    def set(self, name: str, value: float) -> None:
        self._values[name] = value

    def skip_pause(self) -> None:
        """Leave the time since the last step (pictures, checkpoints) out of images/s."""
        self._since += time.perf_counter() - self._last

    def step(self, images: int, strategy: Strategy) -> dict[str, float]:
        """Count a step; return all means, over all ranks, at an interval's end, {} within it."""
        self._images += images
        self._timed += images
        self._last = time.perf_counter()
        if self._images < self.every_n_images:
            return {}
        values = dict(self._values)
        if self._sums:
            means = torch.stack([self._sums[name] / self._counts[name] for name in self._sums])
            means = strategy.reduce(means, reduce_op="mean")
            values = dict(zip(self._sums, means.tolist(), strict=True)) | values
        values["images/s"] = self._timed / (time.perf_counter() - self._since)
        self._sums.clear()
        self._counts.clear()
        self._images = self._timed = 0
        self._since = self._last = time.perf_counter()
        self.last = values
        return values

    def shown(self) -> dict[str, Tensor]:
        """Return what a progress bar shows of the latest point.

        On the host: Lightning looks at them after every step, and would wait for a GPU.
        """
        names = [name for name in self.last if name.startswith("loss") or name == "images/s"]
        return {name: torch.tensor(self.last[name]) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """Return the interval so far, for a checkpoint: plain values and CPU tensors."""
        return {
            "sums": {name: value.cpu() for name, value in self._sums.items()},
            "counts": dict(self._counts),
            "values": dict(self._values),
            "images": self._images,
            "last": dict(self.last),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on within that interval."""
        self._sums = dict(state["sums"])
        self._counts, self._values = dict(state["counts"]), dict(state["values"])
        self._images, self.last = state["images"], dict(state["last"])
        self._timed, self._since = 0, time.perf_counter()
        self._last = self._since

    def to(self, device: torch.device) -> None:
        """Move the sums to a device."""
        self._sums = {name: value.to(device) for name, value in self._sums.items()}
