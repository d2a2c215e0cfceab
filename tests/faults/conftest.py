"""What tests of faults share: small runs."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Finished, rows_of, run_script


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a fault test without a row."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_matrix.py":
            assert rows_of(item), f"{item.nodeid}: mark it with its row, @pytest.mark.fault(N)"


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return a finished run of the smallest networks; do not change it."""
    done = run_script(tmp_path_factory.mktemp("small"), "train.py", *SMALL, "hydra.run.dir=run")
    assert done.returncode == 0, done.stderr
    return done


SMALL = (
    *("data=digits", "debug=fast", "callbacks.progress_bar=null", "callbacks.doctor=null"),
    *("model.generator.width=4", "model.discriminator.width=4"),
)


@pytest.fixture
def run(small_run: Finished, tmp_path: Path) -> Path:
    """Return a copy of the small finished run: two epochs of 32 images."""
    return Path(shutil.copytree(small_run.cwd / "run", tmp_path / "run"))


@pytest.fixture
def unfinished(run: Path) -> tuple[str, ...]:
    """Return the command line that goes on with the copy for a third epoch."""
    return (f"resume={run}", "trainer.max_epochs=3")
