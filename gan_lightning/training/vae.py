"""The update of a variational autoencoder, whole: read `training_step`, then `negative_elbo`.

Source: Kingma & Welling 2014, Auto-Encoding Variational Bayes, algorithm 1.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, cast

import torch
from torch import Tensor, nn

from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.networks.vae import VAEDecoder
from gan_lightning.pixels import to_unit_range
from gan_lightning.ranges import NonNegative, one_of, validated
from gan_lightning.training.base import Batch, GenerativeModule, OptimizerFactory

COLUMNS, REBUILT = 10, 40  # images of a row, and that are reconstructed
SIDE = 20  # images of a side of the map of the codes
MAPS = 10  # classes that have one, at most
CERTAIN = 1e-6  # how near to 0 or 1 the probability of a pixel may come


@validated
class VAEModule(GenerativeModule):
    """Trains a decoder p(x | z, y) and an encoder q(z | x, y) on the evidence lower bound.

    Labels go to both if they have classes (Sohn et al. 2015, a conditional VAE). The decoder is
    what is averaged, sampled, scored and shipped.

    Args:
        encoder: image, y -> (mean[B, L], log variance[B, L]).
        likelihood: of pixels. "bernoulli": a pixel in [0, 1] is the probability of white.
            "gaussian": of one learned deviation for all pixels, or for each column of a row
            (Rybkin et al. 2021, sigma-VAE). None: Bernoulli of images, Gaussian of rows.
        beta: weight of the Kullback-Leibler term (Higgins et al. 2017, beta-VAE); 1: the bound.
        shared: see `GenerativeModule`.
    """

    generator: VAEDecoder
    made_of: ClassVar[dict[str, str]] = GenerativeModule.made_of | {
        "encoder": "model.encoder",
        "likelihood": "model.likelihood",
        "beta": "model.beta",
        "optimizer_of_both": "optimizer.generator",
    }
    curves: ClassVar[tuple[str, ...]] = (
        *("loss/VAE", "elbo", "reconstruction", "kl", "elbo/held-out"),
        *("grad_norm/VAE", "lr/VAE", *GenerativeModule.curves),
    )

    def __init__(
        self,
        generator: VAEDecoder,
        encoder: nn.Module,
        optimizer_of_both: OptimizerFactory,
        likelihood: Annotated[str, one_of("bernoulli", "gaussian")] | None = None,
        beta: NonNegative = 1.0,
        **shared: Any,
    ) -> None:
        super().__init__(generator, {"VAE": (optimizer_of_both, [encoder, generator])}, **shared)
        self.encoder = encoder
        rows = generator.image_shape[1] == 1
        self.likelihood = likelihood or ("gaussian" if rows else "bernoulli")
        self.beta = beta
        if generator.latent_dim > generator.code_dim and self.likelihood != "gaussian":
            raise UserError(
                "samples with noise need model.likelihood=gaussian: a Bernoulli one learns no "
                "deviation (or set model.generator.noise=false)"
            )

    @property
    def decoder(self) -> VAEDecoder:
        """The averaged one."""
        return cast(VAEDecoder, self.average.generator)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Update encoder and decoder on the batch, then the average."""
        self.begin_step()
        self.update("VAE", self.negative_elbo, *batch)  # draws z, clips, steps: base.py
        self.end_step(len(batch[0]))

    def negative_elbo(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, in nats per pixel, and the curves, in nats per image."""
        mean, log_variance = self.encode(x, y)
        code = mean + (0.5 * log_variance).exp() * z[:, : mean.shape[1]]  # reparametrised
        reconstruction = -self.log_likelihood(self.generator, x, code, y).mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1).mean()
        loss = (reconstruction + self.beta * kl) / x[0].numel()
        curves = {"loss/VAE": loss, "elbo": -(reconstruction + kl)}
        return loss, curves | {"reconstruction": reconstruction, "kl": kl}

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | x, y), float32[B, L] each."""
        mean, log_variance = self.encoder(x, y if self.generator.num_classes else None)
        return mean.float(), log_variance.float()

    def log_likelihood(self, decoder: VAEDecoder, x: Tensor, code: Tensor, y: Tensor) -> Tensor:
        """Return log p(x | code, y) [B], in nats; of pixels in [-1, 1] if Gaussian."""
        shown = decoder.mean(code, y if decoder.num_classes else None).float()
        if self.likelihood == "bernoulli":
            white, likely = (x + 1) / 2, ((shown + 1) / 2).clamp(CERTAIN, 1 - CERTAIN)
            return (white * likely.log() + (1 - white) * (1 - likely).log()).flatten(1).sum(1)
        deviation = decoder.log_deviation.float()
        squares = ((x - shown) / deviation.exp()).square()
        each = -0.5 * (squares + math.log(2 * math.pi)) - deviation
        return each.flatten(1).sum(1)

    @torch.no_grad()
    def log_evidence(self, x: Tensor, y: Tensor, draws: int = 64) -> Tensor:
        """Return an estimate of log p(x | y) [B], in nats: a lower bound, tight for many draws.

        Source: Burda et al. 2016, Importance Weighted Autoencoders, eq. 8.
        """
        mean, log_variance = self.encode(x, y)
        terms = []
        for _ in range(draws):
            z = torch.randn_like(mean)
            code = mean + (0.5 * log_variance).exp() * z
            prior_less_q = 0.5 * (z.square() + log_variance - code.square()).sum(dim=1)
            terms.append(self.log_likelihood(self.decoder, x, code, y) + prior_less_q)
        return torch.stack(terms).logsumexp(dim=0) - math.log(draws)

    @torch.no_grad()
    def pictures(self, data: DataModule) -> dict[str, Tensor]:
        """Return rows of images above their reconstructions; with L = 2, a map of the codes."""
        if data.dots:
            return {}
        images, y = data.images[torch.arange(min(REBUILT, len(data.images)))]
        x, y = to_unit_range(images).to(self.device), y.to(self.device)
        decoder = self.decoder
        with evaluated(self.encoder):
            code, _ = self.encode(x, y)
        rebuilt = decoder.mean(code, y if decoder.num_classes else None)
        pairs = zip(x.split(COLUMNS), rebuilt.split(COLUMNS), strict=True)
        rows = [row for pair in pairs for row in pair]
        drawn = {"reconstructions": data.picture(torch.cat(rows).cpu(), COLUMNS)}
        if decoder.code_dim == 2:
            drawn["latent_map"] = data.picture(latent_map(decoder, data.classes[:MAPS]).cpu(), SIDE)
        return drawn

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure the bound on held-out images: far below `elbo` means overfitting."""
        x, y = batch
        _, curves = self.negative_elbo(x, y, self.latents(len(x)))
        self.meters.add("elbo/held-out", curves["elbo"])


def latent_map(decoder: VAEDecoder, classes: Sequence[int]) -> Tensor:
    """Return the images [N, C, H, W] of codes on a grid of equal probability, SIDE in a row.

    The first coordinate grows to the right, the second upward; of a conditional decoder one such
    map for each class, one below the other, each of SIDE / 5 rows.

    Source: Kingma & Welling 2014, figure 4.
    """
    device = decoder.log_deviation.device
    labels = [*classes] if decoder.num_classes else [0]
    rows = SIDE // 5 if decoder.num_classes else SIDE
    across = torch.special.ndtri((torch.arange(SIDE, device=device) + 0.5) / SIDE)
    up = torch.special.ndtri((torch.arange(rows, device=device) + 0.5) / rows).flip(0)
    z = torch.stack([across.repeat(rows), up.repeat_interleave(SIDE)], dim=1)
    label = torch.tensor(labels, device=device).repeat_interleave(len(z))
    return decoder.mean(z.repeat(len(labels), 1), label if decoder.num_classes else None)


@contextmanager
def evaluated(network: nn.Module) -> Iterator[None]:
    """Let a network be in eval mode for a while: BatchNorm neither sees nor counts the batch."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
