"""A run that was stopped, or died, and went on is bit for bit the run that was not."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.state import curves, differences
from tests.conftest import ROOT, Command
from tests.faults.test_signals import at, seen

TINY = (
    *("data=digits", "debug=fast", "callbacks.progress_bar=null", "trainer.limit_train_batches=8"),
    *("model.generator.width=4", "log_every_n_images=24"),
    "callbacks.checkpoints.every_n_images=16",
)
RECIPES = {
    "dcgan, clusters": ("model.discriminator.width=4", "model.num_classes=0"),
    "ada, conditional": (
        *("model.discriminator.width=4", "augment=ada", "augment.images=200", "augment.target=0"),
    ),
    "vae": ("model=vae", "model.encoder.width=4"),
}
pytestmark = pytest.mark.fault(27)


@pytest.mark.parametrize(
    ("devices", "workers"), [(1, 0), (1, 2), pytest.param(2, 0, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_resumed_run_is_the_untouched_one(
    recipe: str, devices: int, workers: int, command: Command
) -> None:
    """Dies within the first epoch and between two, is stopped within the second."""
    settings = (*TINY, *RECIPES[recipe], f"data.num_workers={workers}", "resume=auto")
    settings += (f"trainer.devices={devices}", f"data.batch_size={8 // devices}")
    assert command(*settings, "hydra.run.dir=whole").status == 0
    for dies_at, saved_at in ((40, 32), (64, 64)):
        with pytest.raises(AssertionError, match="on purpose"):  # a traceback: nobody foresaw it
            command(*settings, "hydra.run.dir=cut", *at(dies_at, 0))
        assert seen(Path("cut")) == saved_at
    assert command(*settings, "hydra.run.dir=cut", *at(80, 15)).status == 143
    assert seen(Path("cut")) == 88
    assert command(*settings, "hydra.run.dir=cut").status == 0
    assert curves(Path("cut")) == curves(Path("whole"))
    assert differences(Path("whole"), Path("cut")) == []


def test_the_seed_decides_every_bit(command: Command) -> None:
    """The same command line makes the same run; and the comparison can fail."""
    for folder, seed in (("0", 0), ("again", 0), ("1", 1)):
        assert command(*TINY, f"hydra.run.dir={folder}", f"seed={seed}").status == 0
    assert differences(Path("0"), Path("again")) == []
    assert curves(Path("0")) == curves(Path("again"))
    assert {"weights of generator", "optimizer of D", "metrics.csv"} <= set(
        differences(Path("0"), Path("1"))
    )


def kill_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kill", ROOT / "benchmarks" / "kill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills() -> None:
    assert kill_script().main(10, seed=0) == 0
