"""Clusters in the place of labels: found once, chosen by z, told to D."""

from pathlib import Path

import pytest
import torch
from scipy.stats import kstest
from torch import Tensor

from gan_lightning.export.generator_file import load_generator
from gan_lightning.networks import DCGANDiscriminator, DCGANGenerator
from gan_lightning.networks.codes import ClusterCode
from gan_lightning.sampling.draw import sample
from gan_lightning.training import clusters as training_clusters
from gan_lightning.training.clusters import AT_LEAST, FAR, Clusters
from tests.conftest import Command
from tests.tiny import build

SHARES = torch.tensor([0.5, 0.0, 0.2, 0.3])


def code() -> ClusterCode:
    made = ClusterCode(4)
    made.set_shares(SHARES)
    return made


def latents(count: int = 20_000) -> Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(0))


def test_z_chooses_a_cluster_as_often_as_it_occurs() -> None:
    found = torch.bincount(code()(latents()), minlength=4) / 20_000
    torch.testing.assert_close(found, SHARES, atol=0.01, rtol=0)
    equal = torch.bincount(ClusterCode(4)(latents()), minlength=4) / 20_000
    torch.testing.assert_close(equal, torch.full((4,), 0.25), atol=0.01, rtol=0)


def test_moving_a_latent_changes_its_cluster_alone() -> None:
    z, clusters = latents(), torch.multinomial(SHARES, 20_000, replacement=True)
    moved = code().move(z, clusters)
    assert torch.equal(code()(moved), clusters)
    assert torch.equal(moved[:, 1:], z[:, 1:])
    assert kstest(moved[:, 0].numpy(), "norm").pvalue > 0.001


def blobs(each: int) -> Tensor:
    """Return uint8 images around black, grey and white, 3 : 2 : 1."""
    noise = torch.randint(0, 20, (6 * each, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    level = torch.tensor([0, 0, 0, 110, 110, 220]).repeat(each)
    return (noise + level[:, None, None, None]).to(torch.uint8)


def test_clusters_are_those_of_the_images() -> None:
    clusters, images = Clusters(3, 16), blobs(each=100)
    shares = clusters.fit(images, seed=0)
    torch.testing.assert_close(shares.sort()[0], torch.tensor([1, 2, 3]).double() / 6)
    chosen = clusters(images / 127.5 - 1)
    levels = [
        set(images[chosen == k].flatten(1).min(1)[0].div(100).long().tolist()) for k in range(3)
    ]
    assert sorted(map(len, levels)) == [1, 1, 1]


def test_centres_of_a_large_set_are_found_in_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_clusters, "MOST", 300)
    shares = Clusters(3, 16).fit(blobs(each=100), seed=0)
    torch.testing.assert_close(shares.sort()[0], torch.tensor([1, 2, 3]).double() / 6)


def test_few_images_have_few_clusters() -> None:
    """Of a handful of images each would be its own cluster, and learnt by heart."""
    clusters = Clusters(8, 16)
    shares = clusters.fit(blobs(each=AT_LEAST // 2), seed=0)
    assert (shares > 0).sum() == 3
    assert (clusters.centres == FAR).all(dim=1).sum() == 5


def test_d_is_told_the_cluster_of_every_fake() -> None:
    shape = [1, 8, 8]
    module = build(
        generator=DCGANGenerator(4, shape, width=4, clusters=4),
        discriminator=DCGANDiscriminator(shape, 4, width=4),
    )
    module.generator.clusters.set_shares(SHARES)  # type: ignore[union-attr]
    told: list[tuple[Tensor, Tensor]] = []
    module.generator.register_forward_pre_hook(lambda _, given: told.append(given))
    y = torch.tensor([0, 2, 3, 0])
    module.generate(latents(4 * 4).reshape(4, -1)[:, :4], y)
    ((z, label),) = told
    assert label is None
    assert torch.equal(module.generator.clusters(z), y)  # type: ignore[misc]


@pytest.mark.parametrize("taken", [{"num_classes": 3}, {"codes": (2, 0)}])
def test_labels_and_codes_leave_clusters_without_meaning(taken: dict) -> None:
    with_clusters = DCGANGenerator(4, [1, 8, 8], width=4, clusters=4, **taken)
    without = DCGANGenerator(4, [1, 8, 8], width=4, **taken)
    assert with_clusters.clusters is None
    assert with_clusters.state_dict().keys() == without.state_dict().keys()


def test_a_run_without_labels_ends_in_an_unconditional_file(command: Command) -> None:
    settings = ("data=digits", "debug=fast", "data.fraction=1.0", "model.num_classes=0")
    narrow = ("model.generator.width=4", "model.discriminator.width=4", "model.clusters=6")
    assert command(*settings, *narrow, "hydra.run.dir=run").status == 0
    generator = load_generator(Path("run"))
    assert generator.num_classes == 0
    assert generator.clusters is not None
    shares = generator.clusters.edges.diff(prepend=torch.zeros(1))
    assert (shares > 0).sum() == 6
    assert shares.max() != shares.min()  # the data's own, not the equal ones of the start
    images, y = sample(generator, 3)
    assert y is None
    assert torch.equal(images, sample(load_generator(Path("run")), 3)[0])
