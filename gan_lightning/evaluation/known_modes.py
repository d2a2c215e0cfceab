"""Scoring generators on data sets whose modes are known: modes found instead of FID."""

from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import pad

from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import Candidate
from gan_lightning.evaluation.result_file import Record, write_record
from gan_lightning.evaluation.table import empty_table
from gan_lightning.metrics.features.cache import fingerprint
from gan_lightning.metrics.modes import ModeScorer
from gan_lightning.pixels import save_png

TITLES = {"modes": "modes", "high_quality": "high quality", "reverse_kl": "reverse KL"}
PART = 1000  # images read at once
CELLS, DOTS = 100, 2000  # of the picture of one candidate


def scores_of(scorer: ModeScorer, images: Tensor) -> dict[str, float]:
    """Return the scores of images uint8[N, C, H, W], or floats in [-1, 1]."""
    return scorer.scores(torch.cat([scorer.read(part) for part in images.split(PART)]))


def evaluate_modes(
    candidates: list[Candidate],
    data: DataModule,
    scorer: ModeScorer,
    output: Path,
    console: Console,
) -> None:
    """Score all candidates and as many reals; write the record and the picture, show the table.

    Raises:
        UserError: a candidate has another number of channels than the data.
    """
    reals = data.split(train=False)
    channels = reals.images.shape[1]
    for candidate in candidates:
        found = candidate.images.shape[1]
        if found != channels:
            raise UserError(
                f"{candidate.name} has images of {found} channels, {data.name} of {channels}"
            )
    count = len(candidates[0].images)
    floor, mark = min(count, len(reals)), fingerprint(reals.images, reals.labels)
    record: Record = {
        "format_version": 1,
        "unit": scorer.unit,
        "data": {
            "name": data.name,
            "source": data.source,
            "modes": scorer.num_modes,
            "splits": {"test": {"images": len(reals), "fingerprint": mark}},
        },
        "num_samples": count,
        "floor_samples": floor,
        "floor": scores_of(scorer, reals.images[:floor]),
        "candidates": [
            {"name": c.name, **c.about, "scores": scores_of(scorer, c.images)} for c in candidates
        ],
    }
    write_record(output, record)
    save_png(picture(candidates, data), output.with_suffix(".png"))
    console.print(mode_table(record))


def mode_table(record: Record) -> Table:
    """Return the table: a row a score, a column a candidate, the floor last."""
    table = empty_table(record, f"{record['floor_samples']:,} reals (floor)")
    for name, floor in record["floor"].items():
        values = [candidate["scores"][name] for candidate in record["candidates"]] + [floor]
        if name == "modes":
            cells = [f"modes of {record['data']['modes']:,}", *(f"{v:.0f}" for v in values)]
        else:
            cells = [TITLES[name], *(f"{v:.4f}" for v in values)]
        table.add_row(*cells)
    return table


def picture(candidates: list[Candidate], data: DataModule) -> Tensor:
    """Return samples of all candidates side by side, uint8[C, H, W]."""
    count = DOTS if data.dots else CELLS
    pictures = [data.picture(candidate.images[:count]) for candidate in candidates]
    height = max(picture.shape[1] for picture in pictures)
    below = [(0, 0, 0, height - picture.shape[1]) for picture in pictures]
    return torch.cat([pad(p, b) for p, b in zip(pictures, below, strict=True)], dim=2)
