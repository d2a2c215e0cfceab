"""The table of four points: exact values, and models that learn it within sampling error."""

import re

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


def test_a_gan_and_a_mixture_learn_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["joint", "--samples", "3000"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert "sampling error 0.018" in last
    differences = [float(found) for found in re.findall(r": ([0-9.]+)(?=;|$)", last)]
    assert len(differences) == 3
    assert max(differences) < 0.027  # three deviations


@pytest.mark.parametrize("wrong", [["--samples", "0"], ["--seed", "-1"]])
def test_wrong_arguments_are_one_sentence(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["joint", *wrong])
    assert end.value.code == 2
    assert f"{' '.join(wrong)} must be" in capsys.readouterr().err
