"""What the benchmarks of use count."""

import subprocess
import sys

import pytest

from benchmarks.use import Spent, line, spend
from tests.conftest import ROOT


def test_a_command_is_charged_for_its_own_memory_and_time() -> None:
    """Asked for by a small process: until it runs a command, a child counts as large as we are."""
    large = "import time; kept = b'x' * 2**27; time.sleep(0.2)"
    code = f"from benchmarks.use import spend; print(*spend('-c', 'pass'), *spend('-c', {large!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    _, _, small, _, seconds, cpu, grown, _ = map(float, done.stdout.split())
    assert 100 < grown - small < 160
    assert seconds > 0.2
    assert 0 < cpu < 2


def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        spend("-c", "raise SystemExit('no such thing')")


def test_a_row_has_the_median_and_the_spread() -> None:
    spent = [Spent(3.0, 5.0, 100.0, 600), Spent(2.0, 3.0, 300.0, 600), Spent(9.0, 4.0, 200.0, 600)]
    assert line("draws", spent) == "| draws | 3.00 | 2.00 to 9.00 | 4.0 | 200 | 200 |"
