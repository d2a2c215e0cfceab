"""The recording of a training: true to each step, and without any influence on it."""

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning import Trainer
from PIL import Image
from torch.optim import SGD

from gan_lightning.callbacks.console import Quiet
from gan_lightning.callbacks.lab import LabRecorder
from gan_lightning.data import DigitsDataModule, DiracDataModule, RingDataModule
from gan_lightning.errors import UserError
from gan_lightning.export.lab_file import read_lab
from gan_lightning.losses import Hinge, NonSaturating
from gan_lightning.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    ToyDiscriminator,
    ToyGenerator,
)
from gan_lightning.training.gan import GANModule
from tests.tiny import weights

SHAPE = [2, 1, 1]


def toy(d_lr: float = 0.1, g_lr: float = 0.1, **more: Any) -> GANModule:
    torch.manual_seed(0)
    networks = ToyGenerator(4, SHAPE, hidden=[8]), ToyDiscriminator(SHAPE, hidden=[8])
    arguments = {
        "loss": NonSaturating(),
        "generator_optimizer": partial(SGD, lr=g_lr),
        "discriminator_optimizer": partial(SGD, lr=d_lr),
    }
    return GANModule(*networks, **(arguments | more))


def ring() -> RingDataModule:
    return RingDataModule(name="ring", size=160, batch_size=16, num_classes=8)


def fit(
    module: GANModule,
    file: Path | None,
    data: Any = None,
    epochs: int = 1,
    ckpt_path: Path | None = None,
    points: int = 4,
) -> Trainer:
    recorder = [] if file is None else [LabRecorder(str(file), points=points)]
    names = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        limit_val_batches=0,
        callbacks=[Quiet(), *recorder],
        **dict.fromkeys(names, False),
    )
    trainer.fit(module, datamodule=data or ring(), ckpt_path=ckpt_path)
    return trainer


def test_the_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    with_it, without = toy(), toy()
    fit(with_it, tmp_path / "lab.npz")
    fit(without, None)
    for one, other in (
        (with_it.generator, without.generator),
        (with_it.discriminator, without.discriminator),
    ):
        assert torch.equal(weights(one), weights(other))


def test_points_are_spread_from_the_first_step_to_the_last(tmp_path: Path) -> None:
    fit(toy(), tmp_path / "lab.npz")
    about, arrays = read_lab(tmp_path / "lab.npz")
    assert arrays["seen"].tolist() == [0, 16, 64, 144]
    assert (about["kind"], about["data"]) == ("points", "ring")
    assert about["title"] == "NonSaturating, no penalty"
    assert arrays["reals"].shape == (100, 2)


@pytest.mark.parametrize(("d_lr", "g_lr"), [(0.1, 0.0), (0.0, 0.1)])
def test_a_network_that_does_not_learn_does_not_move(
    tmp_path: Path, d_lr: float, g_lr: float
) -> None:
    fit(toy(d_lr, g_lr), tmp_path / "lab.npz")
    _, arrays = read_lab(tmp_path / "lab.npz")
    assert (arrays["change_scale"] > 1e-6).all() == (d_lr > 0)
    assert (arrays["moves_scale"] > 1e-6).all() == (g_lr > 0)
    losses = arrays["losses"]  # [T, before, after D, after G]
    if d_lr:
        assert (losses[:, 1, 0] < losses[:, 0, 0]).all()  # D's step lowers its loss
        assert (losses[:, 2] == losses[:, 1]).all()
    else:
        assert (losses[:, 1] == losses[:, 0]).all()
        assert (losses[:, 2, 1] < losses[:, 1, 1]).all()  # and G's its own


def test_a_resumed_run_keeps_the_earlier_points(tmp_path: Path) -> None:
    file, saved = tmp_path / "lab.npz", tmp_path / "last.ckpt"
    fit(toy(), file).save_checkpoint(saved)
    _, before = read_lab(file)
    module = toy()
    fit(module, file, epochs=2, ckpt_path=saved, points=8)
    _, after = read_lab(file)
    count = len(before["seen"])
    assert after["seen"][:count].tolist() == before["seen"].tolist()
    assert (np.diff(after["seen"]) > 0).all()
    assert after["seen"][-1] == module.images_seen - 16
    assert (after["field"][:count] == before["field"]).all()


def test_digits_are_pictures_with_an_answer_each(tmp_path: Path) -> None:
    networks = DCGANGenerator(4, [1, 28, 28], 10, width=2), DCGANDiscriminator([1, 28, 28], 10, 2)
    optimizer = partial(SGD, lr=0.1)
    module = GANModule(*networks, Hinge(), optimizer, optimizer)
    data = DigitsDataModule(batch_size=500)
    fit(module, tmp_path / "lab.npz", data)
    about, arrays = read_lab(tmp_path / "lab.npz")
    assert about["answers"] == "relative"  # a hinge loss has no probability
    assert about["fakes"] == 20
    assert arrays["answers"].shape == (len(arrays["seen"]), 3, 40)
    first, second = arrays["ends"][:2]
    with Image.open(BytesIO(arrays["pictures"][first:second].tobytes())) as picture:
        assert picture.size == (10 * 30 + 2, 2 * 30 + 2)


def test_what_has_no_plane_is_a_sentence(tmp_path: Path) -> None:
    shape = [1, 1, 1]
    networks = ToyGenerator(4, shape, hidden=[8]), ToyDiscriminator(shape, hidden=[8])
    optimizer = partial(SGD, lr=0.1)
    module = GANModule(*networks, NonSaturating(), optimizer, optimizer)
    with pytest.raises(UserError, match="points of a plane"):
        fit(module, tmp_path / "lab.npz", DiracDataModule(name="dirac", size=32, batch_size=16))
    labelled = toy()
    labelled.discriminator.num_classes = 8
    with pytest.raises(UserError, match=r"model\.num_classes=0"):
        fit(labelled, tmp_path / "lab.npz")
