"""The device of a command that does not train."""

import torch
from lightning.fabric import Fabric

from gan_lightning.errors import UserError


def one_device(accelerator: str) -> torch.device:
    """Return the device that `accelerator` (auto, cpu, gpu, mps) means here.

    Raises:
        UserError: there is none of that kind.
    """
    try:
        return Fabric(accelerator=accelerator, devices=1).device
    except (RuntimeError, ValueError) as error:
        raise UserError(f"accelerator={accelerator}: {error}") from error
