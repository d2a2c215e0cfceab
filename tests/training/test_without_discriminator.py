"""A way of training without a discriminator: everything beside the loop works for it too."""

from functools import partial
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from torch import Tensor
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset

from gan_lightning.callbacks import Checkpoints, CollapseDoctor, SampleGrid
from gan_lightning.callbacks.console import Quiet
from gan_lightning.callbacks.stopping import FiniteWeights, GracefulEnd
from gan_lightning.data import DigitsDataModule
from gan_lightning.errors import UserError
from gan_lightning.networks import MLPGenerator
from gan_lightning.runs.console import summary
from gan_lightning.training.base import Batch, GenerativeModule
from tests.tiny import Points, build, weights


class Nearest(GenerativeModule):
    """Draws every fake towards the real beside it."""

    def __init__(self) -> None:
        generator = MLPGenerator(4, [1, 28, 28], 10, hidden=[8])
        stepped = {"G": (partial(SGD, lr=0.1), [generator])}
        super().__init__(generator, stepped, log_every_n_images=1)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        self.begin_step()
        self.update("G", self.distance, *batch)
        self.end_step(len(batch[0]))

    def distance(self, real: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        loss = (self.generator(z, y) - real).square().mean()
        return loss, {"loss": loss}


def fit(folder: Path, epochs: int, resume: bool = False) -> tuple[Nearest, Trainer, Points]:
    torch.manual_seed(0)
    module, points = Nearest(), Points()
    data = DigitsDataModule(name="digits", batch_size=300)
    watching = [
        *(Quiet(), FiniteWeights(), SampleGrid(str(folder / "samples"))),
        CollapseDoctor(str(folder / "run.log"), num_images=50, warm_up=0),
        *(Checkpoints(str(folder)), GracefulEnd()),
    ]
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=points,
        callbacks=watching,
        limit_val_batches=0,
        log_every_n_steps=1,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, data, ckpt_path=folder / "last.ckpt" if resume else None)
    return module, trainer, points


def test_it_trains_is_looked_at_and_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    whole, trainer, points = fit(tmp_path / "whole", 2)
    assert whole.images_seen == 3000
    assert {"loss", "grad_norm/G", "lr/G", "images/s"} <= set(points.points[0][1])
    assert len(list((tmp_path / "whole" / "samples").glob("*.png"))) == 2
    fit(tmp_path / "parts", 1)
    resumed, _, _ = fit(tmp_path / "parts", 2, resume=True)
    assert torch.equal(weights(whole.average), weights(resumed.average))

    settings = {"trainer": {"max_time": None}, "seed": 0, "run_dir": "here"}
    said = summary(settings, trainer.datamodule, whole, trainer)  # type: ignore[attr-defined]
    assert "generator" in said
    assert "discriminator" not in said


def test_a_module_draws_from_its_average() -> None:
    module = build(10)
    with torch.no_grad():
        for parameter in module.average.parameters():
            parameter.add_(0.5)
    z, y = torch.randn(4, 3), torch.tensor([1, 2, 3, 4])
    drawn = module(z, y)
    assert torch.equal(drawn, module.average.generator(z, y))
    loader = DataLoader(TensorDataset(z, y), batch_size=3)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    parts = trainer.predict(module, loader)
    assert parts is not None
    assert [len(part) for part in parts] == [3, 1]
    torch.testing.assert_close(torch.cat(parts), drawn.detach())  # type: ignore[arg-type]


def test_labels_are_asked_for() -> None:
    with pytest.raises(ValueError, match="give labels"):
        build(10)(torch.zeros(2, 3))


def test_images_are_no_latents() -> None:
    with pytest.raises(UserError, match=r"latents z\[B, 3\].*\[2, 1, 4, 4\]"):
        build().predict_step([torch.zeros(2, 1, 4, 4), torch.zeros(2)], 0)


def test_lightnings_way_to_load_names_ours() -> None:
    with pytest.raises(UserError, match="load_generator"):
        type(build()).load_from_checkpoint("last.ckpt")
