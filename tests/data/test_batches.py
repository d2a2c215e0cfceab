"""Which images are in which batch: a pure function of (seed, epoch, rank)."""

import pytest
import torch
from torch import Tensor

from gan_lightning.data import DigitsDataModule, batches
from gan_lightning.data.batches import EpochBatches, ImageTensors, loader


def epoch_of(number: int = 0, **arguments: int) -> list[Tensor]:
    batches = EpochBatches(**{"num_images": 24, "batch_size": 4} | arguments)
    batches.set_epoch(number)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    return drawn


def order(**arguments: int) -> list[int]:
    return torch.cat(epoch_of(**arguments)).tolist()


@pytest.mark.parametrize("repeat", [1, 3])
def test_every_image_once_a_pass(repeat: int) -> None:
    assert sorted(order(repeat=repeat)) == sorted(list(range(24)) * repeat)


def test_incomplete_batches_are_dropped() -> None:
    batches = epoch_of(num_images=27)
    assert [len(batch) for batch in batches] == [4] * 6
    assert len(torch.cat(batches).unique()) == 24


def test_seed_and_epoch_decide_the_order_and_nothing_else() -> None:
    torch.manual_seed(1)
    first = order(seed=5, number=3)
    torch.manual_seed(2)
    assert order(seed=5, number=3) == first
    assert order(seed=5, number=4) != first
    assert order(seed=6, number=3) != first


def test_passes_within_an_epoch_differ() -> None:
    drawn = order(repeat=2)
    assert drawn[:24] != drawn[24:]


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_out_the_global_batches(world_size: int) -> None:
    """Batch k of all ranks side by side is global batch k of one process."""
    ranks = [epoch_of(batch_size=2, rank=r, world_size=world_size) for r in range(world_size)]
    together = [torch.cat(parts) for parts in zip(*ranks, strict=True)]
    one = epoch_of(batch_size=2 * world_size)
    assert len(together) == len(one)
    assert all(torch.equal(a, b) for a, b in zip(together, one, strict=True))


def test_a_resumed_epoch_goes_on_and_the_next_one_is_whole() -> None:
    batches = EpochBatches(24, 4, seed=1)
    batches.epoch, batches.start = 2, 4
    expected = epoch_of(seed=1, number=2)
    batches.set_epoch(2)  # as Lightning does before every epoch
    assert torch.equal(torch.cat(list(batches)), torch.cat(expected[4:]))
    batches.set_epoch(3)
    assert torch.equal(torch.cat(list(batches)), torch.cat(epoch_of(seed=1, number=3)))


def test_image_tensors_are_indexed_by_batch() -> None:
    images = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 1, 2, 2)
    chosen, labels = ImageTensors(images, torch.arange(5) * 10)[torch.tensor([3, 0, 3])]
    assert chosen[:, 0, 0, 0].tolist() == [3, 0, 3]
    assert labels.tolist() == [30, 0, 30]


META = torch.device("meta")  # stands for a GPU: mixed with another device, operations fail


def samples() -> ImageTensors:
    return ImageTensors(torch.zeros(24, 1, 4, 4, dtype=torch.uint8), torch.zeros(24).long())


@pytest.mark.parametrize(("room", "there"), [(0, False), (4 * 576 - 1, False), (4 * 576, True)])
def test_images_go_to_a_gpu_that_has_room(
    room: int, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 images of 16 bytes with labels of 8 are 576 bytes, and a quarter of the memory is left."""
    monkeypatch.setattr(batches, "free_memory", lambda device: room)
    near = samples().near(META)
    assert near.images.device.type == near.labels.device.type == ("meta" if there else "cpu")


def test_images_stay_where_the_cpu_is_the_device() -> None:
    here = samples()
    assert here.near(torch.device("cpu")) is here
    assert here.near(META) is here  # of a device without a memory of its own nothing is known


def test_on_a_gpu_a_batch_is_taken_there() -> None:
    near = ImageTensors(*(part.to(META) for part in (samples().images, samples().labels)))
    served = list(loader(near, EpochBatches(24, 4, device=META), num_workers=2))
    assert len(served) == 6
    assert all(image.shape == (4, 1, 4, 4) and image.device == META for image, _ in served)
    assert all(label.device == META for _, label in served)


def test_the_data_module_serves_its_trainers_device(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trainer:
        global_rank, world_size = 0, 1
        strategy = type("Strategy", (), {"root_device": META})()

    data = DigitsDataModule(name="digits", num_workers=2)
    data.setup()
    data.trainer = Trainer()  # type: ignore[assignment]
    monkeypatch.setattr(batches, "free_memory", lambda device: 10**9)
    image, label = next(iter(data.train_dataloader()))
    assert image.device == label.device == META
    assert data.images.images.device.type == "cpu"  # for pictures, scores and clusters
