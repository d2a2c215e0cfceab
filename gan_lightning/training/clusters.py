"""Clusters of the training images, in the place of labels where there are none."""

import torch
from torch import Tensor, nn

from gan_lightning.pixels import to_unit_range

AT_LEAST = 100  # images a cluster: fewer would be learnt by heart
FAR = 1e3  # where no image is: the centre of a cluster that is not used


class Clusters(nn.Module):
    """images[B, C, H, W] -> cluster int64[B]: the nearest of K centres, found by k-means.

    One network for all of an unlabelled set has to map one Gaussian to images that lie far
    apart, and draws what is between them. With clusters it is a conditional one, and z says which.

    Source: Sage et al. 2018, Logo Synthesis and Manipulation with Clustered GANs, section 3.2;
    Liu et al. 2020, Diverse Image Generation via Self-Conditioned GANs.
    """

    centres: Tensor

    def __init__(self, count: int, pixels: int) -> None:
        super().__init__()
        self.count = count
        self.register_buffer("centres", torch.full((count, pixels), FAR))

    def fit(self, images: Tensor, seed: int) -> Tensor:
        """Find the centres in training images, uint8 or in [-1, 1]; return their shares [K]."""
        from sklearn.cluster import MiniBatchKMeans  # takes a second, and most runs have labels

        x = to_unit_range(images).flatten(1)
        count = max(1, min(self.count, len(x) // AT_LEAST))
        found = MiniBatchKMeans(count, random_state=seed, batch_size=4096, n_init=3).fit(x.numpy())
        self.centres[:count] = torch.from_numpy(found.cluster_centers_)
        chosen = torch.cat([self(part) for part in x.to(self.centres.device).split(4096)])
        return torch.bincount(chosen, minlength=self.count).double() / len(x)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        nearness = images.flatten(1).float() @ self.centres.T
        return (nearness - 0.5 * self.centres.square().sum(dim=1)).argmax(dim=1)
