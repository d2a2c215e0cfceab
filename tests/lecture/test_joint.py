"""The table of four points: exact values; that models learn it is seen in test_page.py."""

import numpy as np
import pytest

from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.joint import draw, joint


def test_the_tables_are_those_of_the_points() -> None:
    assert joint().tolist() == [[0.5, 0.0], [0.25, 0.25]]
    assert joint().sum(axis=0).tolist() == [0.75, 0.25]


def test_draws_go_by_way_of_y() -> None:
    drawn = draw(100_000, np.random.default_rng(0))
    assert drawn == pytest.approx(joint(), abs=0.005)
    assert drawn[0, 1] == 0


@pytest.mark.parametrize(
    "wrong",
    [["--samples", "0"], ["--seed", "-1"], ["--picture", "x.foo"], ["--picture", "no/x.png"]],
)
def test_wrong_arguments_are_one_sentence(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["joint", *wrong])
    assert end.value.code == 2
    assert f"{' '.join(wrong)} must" in capsys.readouterr().err
