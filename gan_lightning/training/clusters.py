"""Clusters of the training images, in the place of labels where there are none."""

import torch
from torch import Tensor, nn

from gan_lightning.pixels import to_unit_range

AT_LEAST = 100  # images a cluster: fewer would be learnt by heart
MOST = 60_000  # images that the centres are found in: as floats, all of a large set may not fit
CHUNK = 4096  # images at a time
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

        count = max(1, min(self.count, len(images) // AT_LEAST))
        some = images
        if len(images) > MOST:
            draws = torch.Generator().manual_seed(seed)
            some = images[torch.randperm(len(images), generator=draws)[:MOST]]
        x = to_unit_range(some).flatten(1).numpy()
        found = MiniBatchKMeans(count, random_state=seed, batch_size=CHUNK, n_init=3).fit(x)
        self.centres[:count] = torch.from_numpy(found.cluster_centers_)
        parts = (to_unit_range(part.to(self.centres.device)) for part in images.split(CHUNK))
        chosen = torch.cat([self(part) for part in parts])
        return torch.bincount(chosen, minlength=self.count).double() / len(images)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        nearness = images.flatten(1).float() @ self.centres.T
        return (nearness - 0.5 * self.centres.square().sum(dim=1)).argmax(dim=1)
