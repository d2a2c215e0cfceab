"""The table of data sets whose modes are known."""

from rich.console import Console

from gan_lightning.evaluation.known_modes import mode_table


def test_the_table_shows_names_as_they_are() -> None:
    scores = {"modes": 24.0, "high_quality": 0.5}
    record = {
        "unit": "points",
        "data": {"name": "grid", "modes": 25},
        "num_samples": 2500,
        "floor_samples": 2500,
        "floor": {"modes": 25.0, "high_quality": 0.99},
        "candidates": [{"name": "[bold]run", "scores": scores}],
    }
    console = Console(width=120, record=True)
    console.print(mode_table(record))
    shown = console.export_text()
    for text in ("[bold]run", "grid, 2,500 samples each, unit points", "modes of 25", "0.5000"):
        assert text in shown
