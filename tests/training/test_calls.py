"""Several steps in a call of Lightning: the same run as with one, bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer

from benchmarks.state import curves, differences
from gan_lightning.callbacks.lab import LabRecorder
from gan_lightning.config.build import build_trainer
from gan_lightning.export.lab_file import read_lab
from gan_lightning.training.calls import SeveralSteps
from tests.callbacks.test_lab import ring, toy
from tests.conftest import Command
from tests.faults.test_exact import RECIPES, TINY
from tests.faults.test_signals import at, seen
from tests.tiny import build, fit, weights

# Eight steps an epoch: the third call has two. Checkpoints are due after steps 3 and 6.
SETTINGS = (*TINY, "callbacks.checkpoints.every_n_images=24", "data.batch_size=8")


class Calls(Callback):
    """Notes the steps of every call, and the last batch of an epoch."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, bool]] = []

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *args: Any) -> None:
        taken = trainer.fit_loop.epoch_loop.batch_progress.current.processed
        self.ends.append((taken, trainer.is_last_batch))


def several(steps: int) -> tuple[Calls, Any]:
    """Return what notes the calls, and a callback that makes the trainer take so many at once."""

    class Install(Callback):
        def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.fit_loop.epoch_loop.manual_optimization = SeveralSteps(trainer, steps)

    calls = Calls()
    return calls, [Install(), calls]


@pytest.mark.parametrize("recipe", [*RECIPES, "three updates of D"])
def test_a_run_is_the_same_with_several_steps_a_call(recipe: str, command: Command) -> None:
    settings = (*SETTINGS, *RECIPES.get(recipe, ("d_steps=3", "model.num_classes=0")))
    for steps in (1, 5):
        done = command(*settings, f"hydra.run.dir={steps}", f"steps_per_call={steps}")
        assert done.status == 0, done.err
    assert curves(Path("1")) == curves(Path("5"))
    assert differences(Path("1"), Path("5")) == []
    loops = [torch.load(f"{n}/checkpoints/last.ckpt", weights_only=True)["loops"] for n in (1, 5)]
    assert loops[0] == loops[1]


def test_a_run_goes_on_with_another_number_of_steps(command: Command) -> None:
    """Saved in the middle of a call, and stopped by a signal at a call's end."""
    assert command(*SETTINGS, "hydra.run.dir=whole").status == 0
    cut = (*SETTINGS, "resume=auto", "hydra.run.dir=cut")
    with pytest.raises(AssertionError, match="on purpose"):
        command(*cut, "steps_per_call=5", *at(24, 0))
    assert seen(Path("cut")) == 24
    assert command(*cut, "steps_per_call=2", *at(72, 15)).status == 143
    assert seen(Path("cut")) == 88  # one step of 8 images after the one that got the signal
    assert command(*cut, "steps_per_call=7").status == 0
    assert differences(Path("whole"), Path("cut")) == []


@pytest.mark.parametrize(
    ("limits", "ends"),
    [
        ({}, [(3, False), (6, False), (7, True)]),
        ({"limit_train_batches": 4}, [(3, False), (4, True)]),
        ({"max_steps": 10}, [(3, False), (5, False)]),  # optimizer steps: two each
        ({"limit_val_batches": 1, "val_check_interval": 2}, [(2, 0), (4, 0), (6, 0), (7, 1)]),
    ],
)
def test_calls_end_where_lightning_has_something_to_do(
    limits: dict[str, int], ends: list[tuple[int, bool]]
) -> None:
    calls, callbacks = several(3)
    fit(build(), steps=7, callbacks=callbacks, **limits)
    assert calls.ends == ends


def test_the_images_of_all_steps_are_counted() -> None:
    one, three = build(), build()
    fit(one, steps=7)
    fit(three, steps=7, callbacks=several(3)[1])
    assert one.images_seen == three.images_seen == 42
    assert one.trainer.global_step == three.trainer.global_step == 14
    assert torch.equal(weights(one.generator), weights(three.generator))


def test_a_recording_for_the_lab_is_the_same(tmp_path: Path) -> None:
    for steps in (1, 4):
        recorder = LabRecorder(str(tmp_path / f"{steps}.npz"), points=4)
        names = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=1,
            limit_val_batches=0,
            callbacks=[recorder, *several(steps)[1]],
            **dict.fromkeys(names, False),
        )
        trainer.fit(toy(), datamodule=ring())
    (_, one), (_, four) = (read_lab(tmp_path / f"{steps}.npz") for steps in (1, 4))
    assert len(one["seen"]) == 4
    assert all((one[name] == four[name]).all() for name in one)


def test_one_step_is_lightnings_own_loop(compose: Any) -> None:
    from gan_lightning.config.schema import resolved

    for steps, kind in ((1, "_ManualOptimization"), (2, "SeveralSteps")):
        config = resolved(compose("trainer=cpu", "callbacks=none", f"steps_per_call={steps}"))
        loop = build_trainer(config).fit_loop.epoch_loop.manual_optimization
        assert type(loop).__name__ == kind
