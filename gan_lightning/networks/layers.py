"""Layers that several architectures share."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LabelConcat(nn.Module):
    """z[B, L], y[B] -> [B, L + num_classes]: the label one-hot beside z; z alone if no classes.

    Source: Mirza & Osindero 2014, Conditional Generative Adversarial Nets, section 3.2.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Append the one-hot label.

        Raises:
            ValueError: the network is conditional and no label was given.
        """
        if not self.num_classes:
            return z
        if y is None:
            raise ValueError("a conditional generator needs a label for every latent")
        return torch.cat([z, F.one_hot(y, self.num_classes).to(z.dtype)], dim=1)


class MinibatchStddev(nn.Module):
    """h[B, C, H, W] -> [B, C + 1, H, W]: the mean standard deviation over a group as a channel.

    It lets the discriminator see how varied a batch is, and so punish a collapsed generator.
    A batch that `group_size` does not divide is one group.

    Source: Karras et al. 2018, Progressive Growing of GANs, section 3.
    """

    def __init__(self, group_size: int = 8) -> None:
        super().__init__()
        self.group_size = group_size

    def forward(self, h: Tensor) -> Tensor:
        """Append the statistic."""
        batch, _, height, width = h.shape
        group = self.group_size if batch % self.group_size == 0 else batch
        grouped = h.reshape(group, batch // group, *h.shape[1:])
        variance = grouped.var(dim=0, unbiased=False)
        statistic = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
        return torch.cat(
            [h, statistic.repeat(group)[:, None, None, None].expand(-1, 1, height, width)], 1
        )


def normal_init(module: nn.Module, std: float = 0.02) -> None:
    """Initialise convolutions and linear layers from N(0, std), biases with 0.

    Source: Radford et al. 2016, DCGAN, section 4 (std 0.02).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
