"""What a run says of itself at its start."""

import pytest
from lightning import Trainer

from gan_lightning.data import DigitsDataModule
from gan_lightning.runs.console import summary
from tests.tiny import build

SETTINGS = {"seed": 0, "run_dir": "x", "trainer": {"max_time": None}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "64 images"),
        ({"accumulate": 2}, "64 images, 2 of these an update"),
        ({"d_steps": 5}, "64 images; updates of D 5, of G 1 a step"),
    ],
)
def test_what_a_step_is(settings: dict[str, int], said: str) -> None:
    data, trainer = DigitsDataModule(name="digits"), Trainer(accelerator="cpu", logger=False)
    data.setup("fit")
    (line,) = (
        line
        for line in summary(SETTINGS, data, build(**settings), trainer).splitlines()
        if line.startswith("[bold]batch")
    )
    assert line.rpartition("[/bold]")[2] == said
