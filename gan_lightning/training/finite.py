"""Stops a run with NaN or infinite values before they reach saved weights."""

import math

import torch
from torch import Tensor, nn

from gan_lightning.errors import RunError

ADVICE = (
    "try a lower optimizer.lr (now {lr:g}), a stronger penalty such as penalty=r1, "
    "or trainer.precision=32-true"
)


class FiniteGuard:
    """Looks at every loss and gradient before the update.

    On the CPU before each update, D's too; on a GPU once a step, before G's update, because each
    check waits for the device; on CUDA the values of the step before are looked at, which are on
    the host by then. D or both may then have been updated already, but nothing is saved.
    """

    def __init__(self) -> None:
        self._loss: Tensor | None = None
        self._sums: list[Tensor] = []
        self._sent: tuple[torch.cuda.Event, Tensor, str, int] | None = None  # of the step before

    def see(self, loss: Tensor) -> Tensor:
        """Take a loss whose gradient is part of the next update, and hand it on."""
        self._loss = loss.detach() if self._loss is None else self._loss + loss.detach()
        return loss

    def check(
        self, name: str, norm: Tensor, lr: float, images_seen: int, scaled: bool, wait: bool
    ) -> None:
        """Look at the loss of a network that is about to be updated, and its gradient's norm.

        Args:
            scaled: whether a GradScaler looks for infinite gradients and skips such steps: then
                they are part of its search for a scale, and the loss alone is looked at.
            wait: look now; otherwise at the next look.

        Raises:
            RunError: one of them is not finite.
        """
        loss = norm.new_zeros(()) if self._loss is None else self._loss.to(norm.dtype)
        self._loss = None
        self._sums.append(loss if scaled else loss + norm)
        if not wait:
            return
        total = self._sums[0] if len(self._sums) == 1 else torch.stack(self._sums).sum()
        self._sums.clear()
        if total.is_cuda:
            total, loss, name, images_seen = self._late(total, loss, name, images_seen)
        if not math.isfinite(total.item()):
            where = f"loss/{name}" if not math.isfinite(loss.item()) else f"grad_norm/{name}"
            raise RunError(
                f"{where} is not finite at images_seen={images_seen}: training diverged and was "
                f"stopped; {ADVICE.format(lr=lr)}"
            )

    def _late(
        self, total: Tensor, loss: Tensor, name: str, images_seen: int
    ) -> tuple[Tensor, Tensor, str, int]:
        """Send these to the host without waiting; return those of the step before, at first 0."""
        values = torch.stack([total, loss]).to("cpu", non_blocking=True)  # into pinned memory
        arrived = torch.cuda.Event()
        arrived.record()
        before, self._sent = self._sent, (arrived, values, name, images_seen)
        if before is None:
            return torch.zeros(()), torch.zeros(()), name, images_seen
        before[0].synchronize()
        return before[1][0], before[1][1], before[2], before[3]


def require_finite(module: nn.Module, images_seen: int, lr: float) -> None:
    """Raise RunError if a weight or buffer is not finite."""
    tensors = [t.detach() for t in module.state_dict().values() if isinstance(t, Tensor)]
    norms = torch._foreach_norm([t for t in tensors if t.is_floating_point() and t.numel()], 1)
    finite = torch.stack([norm.float() for norm in norms]).isfinite().all()
    if not finite.item():
        raise RunError(
            f"weights are not finite at images_seen={images_seen}: training diverged and was "
            f"stopped before they were saved; {ADVICE.format(lr=lr)}"
        )
