"""Several devices train one generator: the same weights and buffers, and the mean of gradients."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.plugins.environments import ClusterEnvironment, LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.optim import Optimizer

from gan_lightning.errors import UserError
from gan_lightning.system.launched import by_srun, launched, launched_world, slurm

BUCKET = 2**28  # bytes that are sent at once


class MeanGradients(DDPStrategy):
    """DDP for several optimizers: gradients are averaged once, when one of them steps.

    torch's DistributedDataParallel would search the graph of each loss for what the update leaves
    out (D's parameters in G's), and send both networks' gradients each time (benchmarks/README.md).
    """

    def configure_ddp(self) -> None:
        """Let all devices begin with the first one's weights; the module needs no wrapper."""
        assert self.model is not None
        send_first([*self.model.parameters(), *self.model.buffers()])

    def optimizer_step(
        self, optimizer: Optimizer, closure: Callable[[], Any], model: Any = None, **kwargs: Any
    ) -> Any:
        """Step down the mean over all devices; with fp16 it is scaled still."""
        average_gradients([p for group in optimizer.param_groups for p in group["params"]])
        return super().optimizer_step(optimizer, closure, model, **kwargs)


def several(trainer: Trainer) -> MeanGradients | None:
    """Return the strategy for several devices, whichever kind of DDP was typed; None for one.

    Raises:
        UserError: torchrun or srun started other processes than the trainer counts, or none.
    """
    nodes, world = trainer.num_nodes, trainer.num_devices * trainer.num_nodes
    srun = by_srun()
    same_nodes = not srun or nodes == int(os.environ.get("SLURM_NNODES", nodes))
    if launched() and not (world == launched_world() and same_nodes):
        by = ("srun", "--ntasks-per-node", "--nodes")
        by = by if srun else ("torchrun", "--nproc_per_node", "--nnodes")
        raise UserError(
            f"{by[0]} started {launched_world()} processes, and the trainer has {world} devices on "
            f"trainer.num_nodes={nodes}: trainer.devices is its {by[1]}, trainer.num_nodes its "
            f"{by[2]}"
        )
    if nodes > 1 and not launched():
        raise UserError(
            f"trainer.num_nodes={nodes}: start it on every node, by torchrun --nnodes {nodes} "
            f"--nproc_per_node {trainer.num_devices} ... train.py, or by SLURM's srun"
        )
    # Spawned, so that workers inherit this process's objects; re-running the command line, which
    # is Lightning's default, would run a whole Hydra sweep again in each. Launched ones are there.
    return MeanGradients(start_method="popen" if launched() else "spawn") if world > 1 else None


def environments() -> list[ClusterEnvironment]:
    """Return what tells Lightning the ranks within a job of SLURM; elsewhere it finds out itself.

    It would take every process in such a job for one of srun's, spawned ranks too.
    """
    if by_srun():
        return [slurm()]
    return [LightningEnvironment()] if "SLURM_NTASKS" in os.environ and not launched() else []


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace gradients by their mean over all devices, in one message.

    Where a device left a parameter out it counts as 0; if all did, it keeps no gradient.
    """
    left_out = [i for i, parameter in enumerate(parameters) if parameter.grad is None]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    used = torch.ones(len(parameters), device=parameters[0].device)
    for i in left_out:
        used[i] = 0
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), used])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    *means, used = flat.split([*(p.numel() for p in parameters), len(parameters)])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))
    for i in left_out:
        if used[i].item():
            parameters[i].grad = gradients[i]


def send_first(tensors: Sequence[Tensor]) -> None:
    """Overwrite these tensors by those of the first device."""
    group = distributed.group.WORLD
    if group is not None and tensors:
        distributed._broadcast_coalesced(group, [t.detach() for t in tensors], BUCKET, 0)
