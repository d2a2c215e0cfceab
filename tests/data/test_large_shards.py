"""A set of 4 GB is trained on by a process that may take 2 GB of memory."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.data.test_shards import write_random

GB = 10**9
IMAGES, CHANNELS, SIDE = 330_000, 3, 64
SETTINGS = (
    *("data=shards", "data.batch_size=1024", "model=mlp", "trainer.max_epochs=1"),
    *("model.generator.hidden=[8]", "model.discriminator.hidden=[8]", "logger=csv"),
    *("callbacks.progress_bar=null", "callbacks.doctor=null", "callbacks.scores.num_samples=1000"),
    *("trainer.accelerator=cpu", "trainer.devices=1"),
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a set of 4 GB; it is deleted when the tests are done."""
    folder = tmp_path_factory.mktemp("large")
    if shutil.disk_usage(folder).free < 6 * GB:
        pytest.skip("6 GB of disk are needed")
    assert write_random(folder, IMAGES, CHANNELS, SIDE) > 4 * GB
    yield folder
    shutil.rmtree(folder)


def limited(cwd: Path, *overrides: str) -> tuple[int, str, int]:
    """Run train.py, which may allocate 2 GB; return its status, its words and its most memory.

    The limit is on what a process allocates; pages of files that the system keeps are no part of
    it. What is in memory at most (RSS, mapped files included) is measured beside it.
    """
    with (cwd / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *SETTINGS, *overrides],
            cwd=cwd,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (2 * GB, 2 * GB)),
        )
        _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), (cwd / "log").read_text(), 1024 * used.ru_maxrss


def test_an_epoch_of_4_gb_in_2_gb(large: Path, tmp_path: Path) -> None:
    status, said, most = limited(
        tmp_path, f"data.root={large}", "data.reals=1000", "hydra.run.dir=run"
    )
    assert status == 0, said
    assert most < 2 * GB
    assert f"{IMAGES // 1024 * 1024}" in (tmp_path / "run" / "metrics.csv").read_text()
    print(f"at most {most / 1e6:,.0f} MB")


def test_what_is_kept_in_memory_does_not_fit(large: Path, tmp_path: Path) -> None:
    """The limit holds: all images as reals are twice as much."""
    status, said, _ = limited(tmp_path, f"data.root={large}", f"data.reals={IMAGES}")
    assert status == 1
    assert "memory" in said.lower()
