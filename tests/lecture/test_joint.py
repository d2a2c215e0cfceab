"""The table of four points: exact values; that models learn it is seen in test_page.py."""

import numpy as np
import pytest

from gan_lightning.lecture.joint import draw, joint


def test_the_tables_are_those_of_the_points() -> None:
    assert joint().tolist() == [[0.5, 0.0], [0.25, 0.25]]
    assert joint().sum(axis=0).tolist() == [0.75, 0.25]


def test_draws_go_by_way_of_y() -> None:
    drawn = draw(100_000, np.random.default_rng(0))
    assert drawn == pytest.approx(joint(), abs=0.005)
    assert drawn[0, 1] == 0
