"""A mixture of Gaussians for each label, on the images' principal components."""

import math
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.networks.density import Density, choose, uniform
from gan_lightning.ranges import Count, Labels, Positive, validated


@validated
class GaussianMixture(Density):
    """z[B, 1 + D] -> image: the first coordinate chooses a Gaussian, the others draw from it.

    The D principal components c of all images are a mixture of Gaussians given the label. In the
    directions beside them an image is Gaussian noise of one variance, as in probabilistic PCA: so
    `log_prob` is a density of all pixels. What is drawn is clipped to [-1, 1] and leaves that
    noise out: an image is the mean of p(x|c).

    Source: Bishop 2006, Pattern Recognition and Machine Learning, sections 9.2.2 (EM for mixtures)
    and 12.2.1 (probabilistic PCA, eqs. 12.45 and 12.46).

    Args:
        principal: D, how many principal components; at most the numbers in an image.
        components: Gaussians for each label, with full covariances.
        floor: what is added to the variances within a Gaussian, and the least there is beside
            them: a Gaussian around a few equal images would be infinitely high.
    """

    centre: Tensor  # mean of all images [P]
    basis: Tensor  # principal directions, orthonormal rows [D, P]
    noise: Tensor  # variance in each other direction []
    weights: Tensor  # P(component | label) [K, M]
    means: Tensor  # [K, M, D]
    factors: Tensor  # lower triangular [K, M, D, D]; factor factor^T is the covariance

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        principal: Count = 50,
        components: Count = 10,
        floor: Positive = 1e-3,
    ) -> None:
        principal = min(principal, math.prod(image_shape))
        super().__init__(1 + principal, image_shape, num_classes)
        self.principal, self.components, self.floor = principal, components, floor
        self.register_buffer("centre", torch.zeros(self.size))
        self.register_buffer("basis", torch.eye(principal, self.size))
        self.register_buffer("noise", torch.ones(()))
        shape = (self.groups, components)
        self.register_buffer("weights", torch.full(shape, 1 / components))
        self.register_buffer("means", torch.zeros(*shape, principal))
        self.register_buffer("factors", torch.eye(principal).repeat(*shape, 1, 1))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        y = self._labels(y, z.shape[0])
        chosen = choose(uniform(z[:, 0]), self.weights[y])
        noise = self.factors[y, chosen] @ z[:, 1:, None]
        components = self.means[y, chosen] + noise[..., 0]
        return (components @ self.basis + self.centre).clamp(-1, 1).unflatten(1, self.image_shape)

    def prepare(self, x: Tensor, seed: int) -> None:
        from sklearn.decomposition import PCA  # slow import, needed to fit alone

        if len(x) < self.principal:
            raise UserError(
                f"model.generator.principal={self.principal} needs as many images, and there are "
                f"{len(x)}: choose fewer"
            )
        found = PCA(self.principal, random_state=seed).fit(x.numpy())
        self.centre.copy_(torch.from_numpy(found.mean_))
        self.basis.copy_(torch.from_numpy(found.components_))
        self.noise.fill_(max(float(found.noise_variance_), self.floor))

    def fit_label(self, label: int, x: Tensor, seed: int) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Mixture

        components = ((x - self.centre.cpu()) @ self.basis.cpu().T).double()
        mixture = Mixture(self.components, reg_covar=self.floor, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a hundred steps come close
            mixture.fit(components.numpy())
        self.weights[label].copy_(torch.from_numpy(mixture.weights_))
        self.means[label].copy_(torch.from_numpy(mixture.means_))
        covariances = torch.from_numpy(mixture.covariances_)
        self.factors[label].copy_(torch.linalg.cholesky(covariances))

    def log_density(self, x: Tensor, label: int) -> Tensor:
        x = x - self.centre
        components = x @ self.basis.T
        beside = (x - components @ self.basis).square().sum(dim=1)
        others = self.size - self.principal  # directions
        found = -0.5 * (beside / self.noise + others * (2 * math.pi * self.noise).log())
        return found + self._log_mixture(components, label)

    def _log_mixture(self, components: Tensor, label: int) -> Tensor:
        """Return the log density [B] of principal components [B, D]."""
        factors = self.factors[label]
        offsets = (components - self.means[label][:, None]).transpose(1, 2)  # [M, D, B]
        white = torch.linalg.solve_triangular(factors, offsets, upper=False)
        scale = factors.diagonal(dim1=1, dim2=2).log().sum(dim=1)  # [M]
        constant = self.principal * math.log(2 * math.pi) / 2
        gaussian = -0.5 * white.square().sum(dim=1) - (scale + constant)[:, None]
        return (self.weights[label].log()[:, None] + gaussian).logsumexp(dim=0)
