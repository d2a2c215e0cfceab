"""Codes and clusters of a latent."""

import torch

from gan_lightning.networks.codes import ClusterCode


def test_clusters_are_those_that_a_search_finds() -> None:
    """On the edges too: the bits of old files stay, though ONNX has no search."""
    code = ClusterCode(7)
    code.set_shares(torch.tensor([0.3, 0.0, 0.2, 0.1, 0.1, 0.25, 0.05]))
    z = torch.cat([torch.randn(10_000), torch.special.ndtri(code.edges[:-1]), torch.tensor([99.0])])
    place = torch.special.ndtr(z)
    found = torch.searchsorted(code.edges, place, right=True).clamp_max(6)
    assert torch.equal(code(z[:, None]), found)
    assert set(found.tolist()) == {0, 2, 3, 4, 5, 6}
