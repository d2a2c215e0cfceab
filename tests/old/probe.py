"""Whether this machine computes the bits of the machine that the old files were made on.

`python -m tests.old.probe` prints the hash that stands in `test_old_files.py`.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def outcomes() -> Iterator[Tensor]:
    """Yield what kernels of the kinds that the package uses make of numbers that are the same
    everywhere. It uses none of the package: a change of the package must not change it.
    """
    random = np.random.default_rng(0)

    def normal(*shape: int) -> Tensor:
        return torch.from_numpy(random.standard_normal(shape, dtype=np.float32))

    # An update of D with R1, and of G: convolutions both ways, second derivatives, fused Adam.
    images = normal(64, 1, 28, 28).requires_grad_()
    weights = [normal(*shape) for shape in ((4, 1, 4, 4), (8, 4, 4, 4), (1, 392), (8, 4, 4, 4))]
    parameters = [0.1 * weight for weight in weights]
    for parameter in parameters:
        parameter.requires_grad_()
    first, second, head, transposed = parameters
    hidden = F.leaky_relu(F.conv2d(images, first, stride=2, padding=1), 0.2)
    features = F.conv2d(hidden, second, stride=2, padding=1)
    logits = F.leaky_relu(features, 0.2).flatten(1) @ head.T
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    grown = F.batch_norm(
        F.conv_transpose2d(features, transposed, stride=2, padding=1), None, None, training=True
    )
    cost = F.softplus(logits).mean() + slope.square().sum() + grown.relu().tanh().mean()
    cost.backward()
    torch.optim.Adam(parameters, fused=True).step()
    yield from parameters
    # An evaluation: resizing, a convolution, distances, eigenvalues.
    large = F.interpolate(normal(64, 1, 8, 8), (28, 28), mode="bicubic")
    weight = normal(16, 1, 3, 3).contiguous(memory_format=torch.channels_last)
    found = F.conv2d(large.contiguous(memory_format=torch.channels_last), weight).relu()
    points = found.flatten(1)[:, ::97]
    yield from (large, found, torch.cdist(points, points), points.mean(dim=0))
    covariance = points.double().T @ points.double()
    yield torch.linalg.eigvals(covariance @ covariance).abs().sqrt()


def probe() -> str:
    """Return 16 hex digits of the bits, and of the version of torch, whose kernels they are."""
    digest = hashlib.sha256(torch.__version__.encode())
    for outcome in outcomes():
        digest.update(outcome.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(probe())
