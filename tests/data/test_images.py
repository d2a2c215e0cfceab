"""What all data modules do, shown on the embedded digits."""

import multiprocessing
import os
import signal
import sys
from typing import Any

import pytest
import torch
from lightning import Trainer

from gan_lightning.data import DigitsDataModule, ImageDataModule
from gan_lightning.data.images import resize
from gan_lightning.pixels import BORDER, to_unit_range
from tests.tiny import SHAPE, build


def digits(**arguments: Any) -> DigitsDataModule:
    data = DigitsDataModule(name="digits", **arguments)
    data.prepare_data()
    data.setup()
    return data


def batch_of(data: ImageDataModule) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first batch as the training step gets it."""
    return data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="fork is safe on Linux alone")
def test_workers_start_without_imports_even_in_spawned_ranks() -> None:
    """A spawned process spawns its own: 25 seconds a start were seen, in which signals kill."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        loader = digits(num_workers=1).train_dataloader()
        assert loader.multiprocessing_context.get_start_method() == "fork"
    finally:
        multiprocessing.set_start_method(before, force=True)


def test_a_signal_does_not_end_a_worker_that_just_starts() -> None:
    data = digits(num_workers=1)
    batches = iter(data.train_dataloader())
    (worker,) = multiprocessing.active_children()
    os.kill(worker.pid, signal.SIGTERM)
    image, _ = next(batches)
    assert len(image) == data.batch_size
    worker.join(0.2)
    assert worker.is_alive()


def test_scaling_has_exact_ends() -> None:
    scaled = to_unit_range(torch.arange(256, dtype=torch.uint8))
    assert scaled.dtype == torch.float32
    assert (scaled[0].item(), scaled[255].item()) == (-1.0, 1.0)
    torch.testing.assert_close(scaled.diff(), torch.full((255,), 2 / 255))


@pytest.mark.parametrize("resolution", [28, 32])
def test_batches_are_what_the_networks_take(resolution: int) -> None:
    image, label = batch_of(digits(resolution=resolution, batch_size=16, batches_per_step=2))
    assert image.shape == (32, 1, resolution, resolution)
    assert image.dtype == torch.float32
    assert image.min() == -1
    assert image.max() == 1
    assert label.shape == (32,)
    assert label.dtype == torch.int64
    assert set(label.tolist()) <= set(range(10))


def test_the_embedded_digits() -> None:
    data = digits(resolution=8)
    train, test = data.images, data.split(train=False)
    assert (len(train), len(test)) == (1500, 297)
    assert train.images.dtype == torch.uint8
    assert train.labels[:10].tolist() == list(range(10))
    assert len(train.images.unique()) == 17
    assert (train.images.min(), train.images.max()) == (0, 255)


def test_images_keep_their_labels() -> None:
    """The mean image of a digit is nearer to its own test images than to the others'."""
    data = digits(resolution=8)
    train, test = data.images, data.split(train=False)
    means = torch.stack([train.images[train.labels == k].float().mean(0) for k in range(10)])
    guess = torch.cdist(test.images.float().flatten(1), means.flatten(1)).argmin(1)
    assert (guess == test.labels).float().mean() > 0.8


def test_the_same_seed_gives_the_same_batches() -> None:
    one, same, other = (batch_of(digits(seed=seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_subset_of_classes() -> None:
    data, everything = digits(classes=[5, 3]), digits()
    assert data.classes == [3, 5]
    assert sorted(data.images.labels.unique().tolist()) == [3, 5]
    expected = sum((everything.images.labels == k).sum() for k in (3, 5))
    assert len(data.images) == expected
    assert set(data.split(train=False).labels.tolist()) == {3, 5}


def test_validation_images_are_held_out() -> None:
    data = digits(resolution=8, validation=200)
    held_out = torch.cat([image for image, _ in data.val_dataloader()])
    assert (len(data.images), len(held_out)) == (1300, 200)
    together = torch.cat([data.images.images, held_out]).flatten(1)
    whole = digits(resolution=8).images.images.flatten(1)
    assert torch.equal(together.unique(dim=0), whole.unique(dim=0))
    again = digits(resolution=8, validation=200)
    assert torch.equal(again.images.images, data.images.images)


def test_nothing_held_out_nothing_to_validate_on() -> None:
    assert digits().val_dataloader() == []


def test_a_resumed_epoch_goes_on_where_it_was() -> None:
    whole = digits(batch_size=100)
    expected = [label for _, label in whole.train_dataloader()]
    resumed = digits(batch_size=100)
    resumed.load_state_dict({"epoch": 0, "batch": 12})
    labels = [label for _, label in resumed.train_dataloader()]
    assert len(labels) == 3
    assert torch.equal(torch.cat(labels), torch.cat(expected[12:]))
    assert resumed.state_dict() == {"epoch": 0, "batch": 12}


def test_28_to_32_pixels_is_a_black_border() -> None:
    images = torch.randint(0, 256, (2, 1, 28, 28), dtype=torch.uint8)
    bigger = resize(images, 32)
    assert torch.equal(bigger[:, :, 2:-2, 2:-2], images)
    assert bigger.int().sum() == images.int().sum()


@pytest.mark.parametrize("size", [8, 28, 64])
def test_resizing_keeps_flat_images_flat(size: int) -> None:
    flat = torch.full((1, 3, 28 if size != 28 else 20, 28 if size != 28 else 20), 200).byte()
    assert (resize(flat, size) == 200).all()
    assert resize(flat, size).shape == (1, 3, size, size)


def test_images_need_setup() -> None:
    with pytest.raises(RuntimeError, match="setup"):
        _ = DigitsDataModule(name="digits").images


def test_a_fraction_is_the_same_share_of_every_class() -> None:
    whole, tenth = digits(resolution=8), digits(resolution=8, fraction=0.1)
    counts = whole.images.labels.bincount()
    assert tenth.images.labels.bincount().tolist() == (counts * 0.1).round().long().tolist()
    known = {image.numpy().tobytes() for image in whole.images.images}
    assert {image.numpy().tobytes() for image in tenth.images.images} <= known
    again, other = digits(resolution=8, fraction=0.1), digits(resolution=8, fraction=0.1, seed=1)
    assert torch.equal(tenth.images.images, again.images.images)
    assert not torch.equal(tenth.images.images, other.images.images)


def test_a_fraction_leaves_the_test_split_and_the_reals_of_scores_whole() -> None:
    data = digits(resolution=8, fraction=0.01, validation=100)
    assert data.images.labels.bincount().tolist() == [1] * 10
    assert len(data.split(train=True)) == 1500
    assert len(data.split(train=False)) == 297
    assert len(data.validation_set or ()) == 100


def test_every_class_keeps_at_least_one_image() -> None:
    labels = digits(resolution=8, fraction=1e-9).images.labels
    assert sorted(labels.tolist()) == list(range(10))


def test_without_classes_all_images_are_kept_and_have_one_label() -> None:
    data = digits(num_classes=0)
    assert (len(data.images), data.classes) == (1500, [])
    assert data.images.labels.unique().tolist() == [0]


def test_lightning_trains_on_it_without_this_projects_configs() -> None:
    module = build(num_classes=10)
    quiet = ("enable_checkpointing", "enable_progress_bar", "enable_model_summary", "logger")
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, limit_train_batches=2, **dict.fromkeys(quiet, False)
    )
    trainer.fit(module, datamodule=DigitsDataModule(resolution=SHAPE[-1], batch_size=8))
    assert module.images_seen == 16


def test_a_picture_is_a_grid() -> None:
    data = digits(resolution=8)
    images, edge = data.images.images[:5], BORDER + 8
    picture = data.picture(images, columns=3)
    assert picture.shape == (1, 2 * edge + BORDER, 3 * edge + BORDER)
    assert torch.equal(picture[:, BORDER:edge, -edge:-BORDER], images[2])
    assert not picture[:, -edge:, -edge:].any(), "nothing where no image is"
    assert torch.equal(data.picture(to_unit_range(images), columns=3), picture)
