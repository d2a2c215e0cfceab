"""Sample i depends on (seed, i) alone; images and labels are what they say."""

import pytest
import torch

from gan_lightning.errors import UserError
from gan_lightning.networks import DCGANGenerator, Generator, MLPGenerator
from gan_lightning.pixels import to_uint8, to_unit_range
from gan_lightning.sampling.draw import (
    CHUNK,
    one_device,
    sample,
    sample_categories,
    sample_chunks,
    sample_labels,
)
from gan_lightning.sampling.latents import sample_latents

LABELS = {0: (), 10: range(10)}


def generator(num_classes: int = 0) -> Generator:
    torch.manual_seed(0)
    network = DCGANGenerator(8, [1, 28, 28], num_classes, width=4)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("num_classes", [0, 10])
@pytest.mark.parametrize("count", [1, 99, 100, 101])
def test_sample_i_does_not_depend_on_how_many(num_classes: int, count: int) -> None:
    """To the bit, on both sides of a chunk's end."""
    network, labels = generator(num_classes), LABELS[num_classes]
    many, many_labels = sample(network, CHUNK + 1, seed=3, labels=labels)
    few, few_labels = sample(network, count, seed=3, labels=labels)
    assert torch.equal(few, many[:count])
    if num_classes:
        assert torch.equal(few_labels, many_labels[:count])


def test_samples_differ_by_index_and_seed() -> None:
    network = generator()
    first, second = sample(network, CHUNK + 20, seed=0)[0], sample(network, CHUNK + 20, seed=1)[0]
    every = torch.cat([first, second]).flatten(1)
    assert len(torch.unique(every, dim=0)) == 2 * (CHUNK + 20)


def test_labels_come_in_turn_and_steer_the_generator() -> None:
    network = generator(10)
    images, labels = sample(network, 6, labels=[3, 5])
    assert labels.tolist() == [3, 5, 3, 5, 3, 5]
    assert labels.dtype == torch.int64
    only_threes, _ = sample(network, 6, labels=[3])
    assert torch.equal(only_threes[0], images[0])
    assert not torch.equal(only_threes[1], images[1])


def test_chunks_are_whole_and_in_range() -> None:
    chunks = list(sample_chunks(generator(), 2 * CHUNK + 1))
    assert [len(images) for images, _ in chunks] == [CHUNK, CHUNK, 1]
    assert all(labels is None for _, labels in chunks)
    assert all(images.shape[1:] == (1, 28, 28) for images, _ in chunks)
    assert all(images.abs().max() <= 1 for images, _ in chunks)


def test_nothing_asked_nothing_drawn() -> None:
    images, labels = sample(generator(), 0)
    assert images.shape == (0, 1, 28, 28)
    assert labels is None


@pytest.mark.parametrize(("num_classes", "labels"), [(0, [1]), (10, [])])
def test_labels_must_fit_the_generator(num_classes: int, labels: list[int]) -> None:
    network = MLPGenerator(4, [1, 28, 28], num_classes, hidden=[8])
    with pytest.raises(ValueError, match="conditional"):
        sample(network, 1, labels=labels)


def test_uint8_is_the_inverse_of_the_datas_scaling() -> None:
    grey = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_unit_range(grey)), grey)


def test_uint8_clamps_and_rounds() -> None:
    values = torch.tensor([-1.5, -1.0, -0.999, 0.0, 0.999, 1.0, 1.5])
    assert to_uint8(values).tolist() == [0, 0, 0, 128, 255, 255, 255]


@pytest.mark.parametrize(("counts", "drawn"), [([1, 1], {0, 1}), ([0, 3], {1}), ([3, 0], {0})])
def test_labels_at_the_edges_of_the_counts(counts: list[int], drawn: set[int]) -> None:
    assert set(sample_labels(0, 200, [0, 1], counts).tolist()) == drawn


def test_labels_follow_the_counts() -> None:
    """A chi^2 test at 0.1 % (three degrees of freedom: 16.27); 0 never comes."""
    counts, n = [100, 0, 300, 500, 100], 20_000
    labels = sample_labels(0, n, [2, 3, 5, 7, 8], counts, seed=1)
    found = [int((labels == label).sum()) for label in (2, 3, 5, 7, 8)]
    assert found[1] == 0
    expected = [n * count / 1000 for count in counts if count]
    drawn = [count for count in found if count]
    assert sum((f - e) ** 2 / e for f, e in zip(drawn, expected, strict=True)) < 16.27


def test_a_drawn_label_depends_on_seed_and_index_alone() -> None:
    counts, known = [1, 2, 3], [0, 1, 2]
    whole = sample_labels(0, 50, known, counts, seed=4)
    assert torch.equal(whole[20:30], sample_labels(20, 10, known, counts, seed=4))
    assert not torch.equal(whole, sample_labels(0, 50, known, counts, seed=5))
    latents = sample_latents(4, 0, 50, 1).flatten()
    assert abs(torch.corrcoef(torch.stack([latents, whole.float()]))[0, 1]) < 0.4


class Mean(Generator):
    """A baseline: the same image for every latent, kept in a buffer, or not at all."""

    def __init__(self, kept: bool) -> None:
        super().__init__(4, [1, 4, 4], codes=(2, 0))
        if kept:
            self.register_buffer("image", torch.full((1, 4, 4), 0.5))

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        return torch.full((len(z), 1, 4, 4), 0.5, device=z.device)


@pytest.mark.parametrize("kept", [True, False])
def test_a_generator_without_parameters_is_sampled(kept: bool) -> None:
    images, labels = sample(Mean(kept), 3)
    assert torch.equal(images, torch.full((3, 1, 4, 4), 0.5))
    assert labels is None
    assert torch.equal(sample_categories(Mean(kept), 2), torch.full((4, 1, 4, 4), 0.5))


@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
def test_without_a_gpu_the_device_is_the_cpu(
    accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert one_device(accelerator) == torch.device("cpu")


@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "mps", "tpu", "", "x"])
def test_a_device_that_is_not_here_ends_in_a_sentence(
    accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"accelerator={accelerator} .* one of auto, cpu$"):
        one_device(accelerator)


@pytest.mark.parametrize(("accelerator", "kind"), [("auto", "cuda"), ("gpu", "cuda")])
def test_with_a_gpu_the_device_is_that(
    accelerator: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert one_device(accelerator).type == kind
