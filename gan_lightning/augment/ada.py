"""Adaptive discriminator augmentation, small."""

import math

import torch
from torch import Tensor

from gan_lightning.augment.affine import resample, rotation, scaling, translation
from gan_lightning.augment.base import Augment, uniform
from gan_lightning.ranges import Count, NonNegative, Share, Switch, validated


@validated
class ADA(Augment):
    """Pixel blitting, geometric and colour transforms with a probability p that adapts.

    p rises when D is too sure of the reals, r_t = E sign(D(real)) > target, and falls when it is
    not: overfitting decides how much augmentation there is. p is a buffer, so checkpoints hold it.
    Simpler than the paper's: geometry is one bilinear resampling instead of an orthogonal
    wavelet's; hue, saturation and luma flips are for three channels only.

    Source: Karras et al. 2020, Training GANs with Limited Data, eq. 1, section 3.1, appendix B.

    Args:
        target: value of r_t to keep.
        images: real images that take p from 0 to 1.
        probability: p at the start.
        flips: mirror images and quarter turns too.
    """

    p: Tensor
    across: Tensor

    def __init__(
        self,
        target: NonNegative = 0.6,
        images: Count = 500_000,
        probability: Share = 0.0,
        flips: Switch = True,
    ) -> None:
        super().__init__()
        self.target, self.images, self.flips = target, images, flips
        self.register_buffer("p", torch.tensor(float(probability)))
        # Here, for a GPU waits for what is sent to it in a step.
        across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
        self.register_buffer("across", across, persistent=False)

    @torch.no_grad()
    def update(self, real_logits: Tensor) -> None:
        """Move p by D's logits[B] (or their signs) of augmented reals, on all devices together."""
        signs = real_logits.float().sign()
        total, count = seen = torch.stack([signs.sum(), signs.new_full((), len(signs))])
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(seen)
        excess = total / count - self.target
        self.p.add_(excess.sign() * count / self.images).clamp_(0.0, 1.0)

    def forward(self, images: Tensor) -> Tensor:
        # Autocast would round the places of pixels to bfloat16: up to a sixteenth of a pixel.
        with torch.autocast(images.device.type, enabled=False):
            x = images.to(torch.promote_types(images.dtype, torch.float32))
            return self.color(resample(x, self.geometry(x))).to(images.dtype)

    def pick(self, value: Tensor, neutral: float, probability: Tensor | None = None) -> Tensor:
        """Keep each of value[B] with the probability (default: p), else use `neutral`."""
        p = self.p if probability is None else probability
        kept = torch.rand(len(value), device=value.device) < p
        return torch.where(kept, value, torch.full_like(value, neutral))

    def normal(self, x: Tensor, std: float) -> Tensor:
        """Return N(0, std^2), one number per image."""
        return std * torch.randn(len(x), device=x.device, dtype=x.dtype)

    def geometry(self, x: Tensor) -> Tensor:
        """Return random affine maps [B, 3, 3], from output to input pixels."""
        side = x.shape[3]
        # Two rotations, so that one at least happens with probability p.
        once = 1.0 - (1.0 - self.p).sqrt()
        whole = [self.pick((uniform(x, -0.125, 0.125) * side).round(), 0.0) for _ in range(2)]
        zoom = self.pick(2.0 ** self.normal(x, 0.2), 1.0)
        before, after = (self.pick(uniform(x, -math.pi, math.pi), 0.0, once) for _ in range(2))
        stretch = self.pick(2.0 ** self.normal(x, 0.2), 1.0)
        part = [self.pick(self.normal(x, 0.125 * side), 0.0) for _ in range(2)]
        matrix = translation(*whole) @ scaling(zoom, zoom) @ rotation(before)
        matrix = matrix @ scaling(stretch, 1.0 / stretch) @ rotation(after) @ translation(*part)
        if not self.flips:
            return matrix
        mirror = self.pick(2.0 * uniform(x, 0.0, 2.0).floor() - 1.0, 1.0)
        quarter = self.pick(uniform(x, 0.0, 4.0).floor() * (math.pi / 2.0), 0.0)
        return scaling(mirror, torch.ones_like(mirror)) @ rotation(quarter) @ matrix

    def color(self, x: Tensor) -> Tensor:
        """Change brightness and contrast; with three channels also luma, hue and saturation."""
        brightness = self.pick(self.normal(x, 0.2), 0.0)[:, None, None, None]
        contrast = self.pick(2.0 ** self.normal(x, 0.5), 1.0)[:, None, None, None]
        x = (x + brightness) * contrast
        if x.shape[1] != 3:
            return x
        luma = x.new_full((3, 3), 1.0 / 3.0)  # projection on the gray axis
        flip = self.pick(2.0 * uniform(x, 0.0, 2.0).floor() - 1.0, 1.0)[:, None, None]
        angle = self.pick(uniform(x, -math.pi, math.pi), 0.0)[:, None, None]
        saturation = self.pick(2.0 ** self.normal(x, 1.0), 1.0)[:, None, None]
        # Rodrigues: the part of a colour across the gray axis turns within its plane.
        across = self.across.to(x.dtype) / math.sqrt(3.0)
        turn = angle.cos() * (torch.eye(3, device=x.device, dtype=x.dtype) - luma)
        matrix = flip * luma + saturation * (turn + angle.sin() * across)
        return (matrix @ x.flatten(2)).view(x.shape)
