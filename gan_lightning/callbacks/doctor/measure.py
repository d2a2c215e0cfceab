"""What the collapse doctor measures: a few hundred images through copies of both networks."""

import copy
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_lightning.callbacks.doctor.diagnosis import Vitals
from gan_lightning.data import DataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.data.held_out import held_out
from gan_lightning.penalties import NoPenalty
from gan_lightning.pixels import to_unit_range
from gan_lightning.sampling.latents import sample_latents
from gan_lightning.training.base import GenerativeModule
from gan_lightning.training.gan import GANModule

Network = TypeVar("Network", bound=nn.Module)

TINY = 1e-6
TWIN_QUANTILE = 0.01  # of the reals, by definition, this share has a twin
SATURATED = 0.99  # a pixel beyond this is at an end of tanh


@dataclass(frozen=True)
class Panel:
    """The fixed images and latents that are looked at every epoch, on the training device."""

    real: Tensor  # training images [N, C, H, W] in [-1, 1]
    label: Tensor  # of the reals, and of the fakes if conditional, int64[N]
    group: Tensor  # the label as far as G is told it: all 0 if unconditional, int64[N]
    held_out: Tensor  # reals that D was not trained on [M, C, H, W], or none (M = 0)
    held_out_label: Tensor  # int64[M]
    z: Tensor  # latents [N, L]
    classes: int  # in use
    labels: int  # that the data set has
    diversity: float  # mean distance of two reals
    twin: float  # distance up to which two images are twins
    within: float  # variance of the reals' pixels within a group
    grey: float  # share of the reals' pixels that are neither black nor white


def choose_panel(module: GenerativeModule, data: DataModule, count: int) -> Panel:
    """Choose `count` images of each kind and as many latents, always the same ones."""
    images, label = _some(data.images, count)
    others, others_label = _some(held_out(data), count)
    real = to_unit_range(images)
    group = label if module.generator.num_classes else torch.zeros_like(label)
    distances = pairwise_distances(real)
    return Panel(
        real=real.to(module.device),
        label=label.to(module.device),
        group=group.to(module.device),
        held_out=to_unit_range(others).to(module.device),
        held_out_label=others_label.to(module.device),
        z=sample_latents(0, 0, len(real), module.generator.latent_dim).to(module.device),
        classes=len(data.classes),
        labels=data.num_classes,
        diversity=max(mean_distance(distances), TINY),
        twin=nearest_distances(distances).quantile(TWIN_QUANTILE).item(),
        within=max(variance_within(real, group), TINY),
        grey=max(grey_share(real), TINY),
    )


def _some(images: ImageTensors, count: int) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return images[order[:count]]


def snapshot(network: Network) -> Network:
    """Return a separate copy that behaves as in training, without dropout.

    BatchNorm uses the batch's statistics, as it does when D meets fakes in training.
    """
    double = copy.deepcopy(network).eval()
    for layer in double.modules():
        if isinstance(layer, _BatchNorm):
            layer.train()
    return double


def weight_of(penalty: Any) -> float:
    """Return a penalty's weight; 0 without a penalty, 1 if it has no `weight`."""
    return 0.0 if isinstance(penalty, NoPenalty) else float(getattr(penalty, "weight", 1.0) or 1.0)


@torch.no_grad()
def measure(module: GenerativeModule, panel: Panel) -> Vitals:
    """Look at the networks as they are now; changes nothing in them and draws nothing at random.

    Without a discriminator nothing is said about one: the vitals have its healthy defaults.

    Of `module.scores`, the averaged generator's, the share of the rarest class is used.
    """
    generator = snapshot(module.generator)
    dtype = next(chain(generator.parameters(), generator.buffers()), panel.z).dtype
    fake = generator(panel.z.to(dtype), panel.label if generator.num_classes else None)
    of_d = _of_discriminator(module, panel, fake) if isinstance(module, GANModule) else {}
    distances = pairwise_distances(fake)
    last = [*module.stepped][-1]
    return Vitals(
        **of_d,
        adversarial=bool(of_d),
        beta=getattr(module, "beta", None),
        diversity=mean_distance(distances) / panel.diversity,
        twins=(nearest_distances(distances) <= panel.twin).float().mean().item(),
        twin_pairs=twin_pairs(distances, panel.twin),
        latent=variance_within(fake, panel.group) / panel.within,
        grey=grey_share(fake.float()) / panel.grey,
        min_class_share=module.scores.get("score/min_class_share"),
        gradient_g=module.meters.last.get(f"grad_norm/{last}"),
        conditional=bool(generator.num_classes),
        classes=panel.classes,
        labels=panel.labels,
        lr_g=module.lr(last),
        course=module.course,
    )


def _of_discriminator(module: GANModule, panel: Panel, fake: Tensor) -> dict[str, Any]:
    """Return what D is and thinks of images; most of it holds whatever the logits' offset."""
    discriminator = snapshot(module.discriminator)

    def logits(images: Tensor, label: Tensor) -> Tensor:
        y = label if discriminator.num_classes else None
        return discriminator(images.to(fake.dtype), y).float()

    def of_reals(images: Tensor, label: Tensor) -> Tensor:
        return logits(images, module.labels(images, label))

    of_z = module.generator.clusters
    held_out = of_reals(panel.held_out, panel.held_out_label) if len(panel.held_out) else None
    fakes = logits(fake, of_z(panel.z) if of_z else panel.label)
    reals = of_reals(panel.real, panel.label)
    gap = (reals.mean() - fakes.mean()).item()
    middle = (reals.mean() + fakes.mean()) / 2
    pairs = reals[:, None] - fakes[None]
    values = {
        "belief": module.loss.logits_mean,
        "d_real": reals.sigmoid().mean().item(),
        "d_fake": fakes.sigmoid().mean().item(),
        "d_pairs": (-pairs).sigmoid().mean().item(),
        "order": (0.5 + 0.5 * pairs.sign()).mean().item(),
        "gap": gap,
        "spread": torch.cat([reals, fakes]).std().item(),
        "accuracy": (reals > middle).float().mean().item(),
        "gradient_d": module.meters.last.get("grad_norm/D"),
        "penalty": weight_of(module.penalty),
        "lr_d": module.lr("D"),
    }
    if held_out is not None:
        values["held_out_accuracy"] = (held_out > middle).float().mean().item()
        values["overfit"] = (reals.mean() - held_out.mean()).item() / max(abs(gap), TINY)
    return values


def pairwise_distances(images: Tensor) -> Tensor:
    """Return the Euclidean distances [N, N] of images[N, C, H, W] in pixel space."""
    flat = images.float().flatten(1)
    return torch.cdist(flat, flat)


def nearest_distances(distances: Tensor) -> Tensor:
    """Return each image's distance to its nearest other one, from distances[N, N]."""
    return (distances + torch.diag(torch.full_like(distances.diagonal(), torch.inf))).amin(dim=1)


def mean_distance(distances: Tensor) -> float:
    """Return the mean distance of two different images."""
    count = len(distances)
    return distances.sum().item() / max(count * (count - 1), 1)


def twin_pairs(distances: Tensor, twin: float) -> float:
    """Return the share of pairs that are twins: one over the number of different images.

    Two independent draws from n equally likely images are equal with probability 1/n.
    Source: Arora & Zhang 2018, Do GANs learn the distribution?, section 3 (the birthday paradox).
    """
    count = len(distances)
    close = (distances <= twin).sum().item() - count  # without the diagonal
    return max(close, 0) / max(count * (count - 1), 1)


def variance_within(images: Tensor, label: Tensor) -> float:
    """Return the variance of a pixel among the images of one class, averaged over the images."""
    flat = images.float().flatten(1)
    groups = [flat[label == y] for y in label.unique()]
    total = sum((g - g.mean(dim=0)).square().sum().item() for g in groups)
    return total / flat.numel()


def grey_share(images: Tensor) -> float:
    """Return the share of pixels that are not at -1 or 1."""
    return (images.abs() < SATURATED).float().mean().item()
