"""Every row of the table of faults has a test."""

import re

import pytest

from tests.conftest import ROOT
from tests.faults.table import FAULTS

MARK = re.compile(r"mark\.fault\(([\d, ]+)\)")


def marked() -> dict[int, list[str]]:
    """Return the test files by row, as far as marks are literal; parameters are collected."""
    found: dict[int, list[str]] = {row: [] for row in FAULTS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for numbers in MARK.findall(path.read_text()):
            for number in numbers.split(","):
                found[int(number)].append(path.name)
    return found


def test_there_are_45_faults() -> None:
    assert sorted(FAULTS) == list(range(1, 46))


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: f"{row} {FAULTS[row]}")
def test_every_fault_has_a_test(row: int) -> None:
    from tests.faults.test_input import BAD

    files = marked()[row] + ["test_input.py"] * any(row == entry[0] for entry in BAD)
    assert files, f"no test is marked @pytest.mark.fault({row}): {FAULTS[row]}"
