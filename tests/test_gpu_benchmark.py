"""benchmarks/gpu.py where there is no GPU: it says so, and rehearses."""

import subprocess
import sys

import pytest
import torch

from benchmarks import gpu
from benchmarks.gauge import Gauge
from tests.conftest import ROOT


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--rehearse" in said.err


def test_a_row_for_every_loop_and_one_that_fails_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = {"graph": gpu.Rate(1000.0, 90.0), "eager": gpu.Rate(250.0, None)}
    monkeypatch.setattr(gpu, "by_hand", lambda size, kind, *_: rates[kind])
    monkeypatch.setattr(gpu, "by_train", lambda size, p, batch, steps: gpu.Rate(100.0 * steps, 7.0))
    size = gpu.GPU._replace(precisions=("32-true",), batches=(64,), repeats=2)
    assert list(gpu.table(size))[2:] == [
        "| by hand, graph | 32-true | 64 |  | 1,000 | 1.00 | 90 % |",
        "| by hand, compiled | 32-true | 64 |  | failed |  |  |",
        "| by hand, eager | 32-true | 64 |  | 250 | 0.25 |  |",
        "| train.py | 32-true | 64 | 1 | 100 | 0.10 | 7 % |",
        "| train.py | 32-true | 64 | 8 | 800 | 0.80 | 7 % |",
    ]
    assert "by hand, compiled 32-true 64 failed" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["eager", "compiled"])
def test_a_loop_by_hand_runs(kind: str) -> None:
    assert gpu.by_hand(gpu.REHEARSAL, kind, "bf16-mixed", 8).images > 0


def test_utilisation_is_that_of_the_measured_time() -> None:
    read = Gauge("cuda")
    read.seen = [(0.0, 0.0), (1.0, 80.0), (2.0, 90.0), (3.0, 100.0), (4.0, 0.0)]
    assert read.median(1.0, 3.0) == 90.0
    assert read.median(5.0, 6.0) is None


@pytest.mark.slow
def test_the_rehearsal_prints_the_table() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", "--rehearse"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stdout, done.stderr
    assert done.stdout.count("| train.py | bf16-mixed | 8 |") == 2
    assert "1 epochs of train.py" in done.stdout
