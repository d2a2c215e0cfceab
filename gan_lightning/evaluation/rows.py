"""Scoring rows of a table: against training rows by sdmetrics, and by what a model learns of them.

Every score stands beside that of reals: one half of the training rows against the other.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table as Shown
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from torch import Tensor

from gan_lightning.data import TableDataModule
from gan_lightning.data.batches import ImageTensors
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import Candidate
from gan_lightning.evaluation.result_file import Record, write_record
from gan_lightning.evaluation.table import empty_table
from gan_lightning.metrics.features.cache import fingerprint
from gan_lightning.tables import Schema

TITLES = {
    "mean": "means off by ↓",
    "deviation": "deviations off by ↓",
    "correlation": "correlations off by ↓",
    "quality": "quality report ↑",
    "shapes": "  column shapes ↑",
    "pairs": "  column pairs ↑",
    "boundary": "boundary adherence ↑",
    "new_rows": "new rows ↑",
    "learnt": "trained on these ↑",  # and tested on held-out reals
}
COMPARED = 1000  # rows whose novelty is looked at
DOTS = 1000  # of a panel
Frame = Any  # pandas.DataFrame


def evaluate_tables(
    candidates: list[Candidate], data: TableDataModule, output: Path, console: Console
) -> None:
    """Score all candidates; write the record and the picture, show the table."""
    train, test, schema = data.split(train=True), data.split(train=False), data.schema
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    halves = [ImageTensors(*train[part]) for part in order.chunk(2)]
    floor = row_scores(schema, halves[0], halves[1].images, halves[1].labels)
    floor["learnt"] = learnt(schema, train.images, train.labels, test)
    record: Record = {
        "format_version": 1,
        "unit": "rows",
        "data": {
            "name": data.name,
            "source": data.source,
            "splits": {
                name: {"rows": len(rows), "fingerprint": fingerprint(rows.images, rows.labels)}
                for name, rows in (("train", train), ("test", test))
            },
        },
        "num_samples": len(candidates[0].images),
        "floor_samples": len(halves[1]),
        "learnt": learnt_of(schema),
        "floor": floor,
        "candidates": [],
    }
    for c in candidates:
        scores = row_scores(schema, train, c.images, c.labels)
        if c.labels is not None or not schema.label:
            scores["learnt"] = learnt(schema, c.images, c.labels, test)
        record["candidates"].append({"name": c.name, **c.about, "scores": scores})
    write_record(output, record)
    draw(output.with_suffix(".png"), schema, train, candidates)
    console.print(row_table(record))


def row_scores(
    schema: Schema, reals: ImageTensors, points: Tensor, labels: Tensor | None
) -> dict[str, float]:
    """Return the scores of rows, points [N, D, 1, 1] and labels int64[N], against reals.

    Without labels the label's column is left out.

    Source: sdmetrics' QualityReport, BoundaryAdherence and NewRowSynthesis (default tolerance).

    Raises:
        UserError: sdmetrics is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # a place that new versions would rename
            from sdmetrics.reports.single_table import QualityReport
        from sdmetrics.single_column import BoundaryAdherence
        from sdmetrics.single_table import NewRowSynthesis
    except ImportError as error:
        raise UserError(
            f"{error}: tables are scored by sdmetrics: pip install -c constraints.txt -e '.[table]'"
        ) from error
    real = frame(schema, reals.images, reals.labels if labels is not None else None)
    fake = frame(schema, points, labels)
    kinds = {c.name: c.kind for c in schema.columns}
    kinds = {name: "categorical" if kinds[name] == "category" else "numerical" for name in real}
    about = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    numbers = [name for name, kind in kinds.items() if kind == "numerical"]
    scores = moments(real[numbers].to_numpy(), fake[numbers].to_numpy()) if numbers else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that do not vary in a half
        report = QualityReport()
        report.generate(real, fake, about, verbose=False)
        parts = report.get_properties().set_index("Property")["Score"].to_dict()
        scores["quality"] = report.get_score()
        scores["shapes"] = parts.get("Column Shapes", np.nan)
        scores["pairs"] = parts.get("Column Pair Trends", np.nan)
        inside = [BoundaryAdherence.compute(real[name], fake[name]) for name in numbers]
        scores["boundary"] = np.mean(inside) if inside else np.nan
        some = min(COMPARED, len(fake))
        scores["new_rows"] = NewRowSynthesis.compute(real, fake.head(some), about)
    return {name: float(score) for name, score in scores.items() if np.isfinite(score)}


def frame(schema: Schema, points: Tensor, labels: Tensor | None) -> Frame:
    """Return the rows as a pandas.DataFrame, without the columns that never vary."""
    from pandas import DataFrame  # of the extra `table`

    codes = None if labels is None else labels.numpy()
    values = schema.decode(points.flatten(1).numpy(), codes)
    shown = schema.header(labels is not None)
    return DataFrame(
        {
            column.name: np.array(column.values)[found] if column.values else found
            for column, found in zip(schema.columns, values, strict=True)
            if column.width and column.name in shown
        }
    )


def moments(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Return the largest relative differences of means and deviations, and of correlations.

    Of numbers [N, K] and [M, K]. A mean's is relative to itself, or to the deviation if that is
    larger.
    """
    mean, deviation = real.mean(0), real.std(0)
    scale = np.maximum(np.abs(mean), deviation)
    found = {
        "mean": np.abs(fake.mean(0) - mean) / scale,
        "deviation": np.abs(fake.std(0) / deviation - 1),
    }
    if real.shape[1] > 1:
        found["correlation"] = np.abs(np.corrcoef(real.T) - np.corrcoef(fake.T))
    return {name: float(np.max(values)) for name, values in found.items()}


def learnt_of(schema: Schema) -> str:
    """Return what a model is to learn of the other columns, in words."""
    if schema.label:
        return f"accuracy of {schema.label}"
    return f"R2 of {schema.coordinates[0].name}"


def learnt(schema: Schema, points: Tensor, labels: Tensor | None, test: ImageTensors) -> float:
    """Return how well a random forest trained on these rows does on held-out reals.

    It learns the label, and is scored by its accuracy; without one it learns the first number, or
    the first coordinate, and is scored by R2.

    Source: Esteban et al. 2017, RCGAN, section 4.3 (TSTR).
    """
    x, held_out = points.flatten(1).numpy(), test.images.flatten(1).numpy()
    if schema.label and labels is not None:
        model = RandomForestClassifier(100, min_samples_leaf=5, random_state=0)
        return float(model.fit(x, labels.numpy()).score(held_out, test.labels.numpy()))
    if x.shape[1] < 2 or len(test) < 2:
        return float("nan")
    model = RandomForestRegressor(100, min_samples_leaf=5, random_state=0)
    return float(model.fit(x[:, 1:], x[:, 0]).score(held_out[:, 1:], held_out[:, 0]))


def row_table(record: Record) -> Shown:
    """Return the table: a row a score, a column a candidate, the floor last."""
    table = empty_table(record, f"{record['floor_samples']:,} reals (floor)")
    for name, title in TITLES.items():
        found = [candidate["scores"].get(name) for candidate in record["candidates"]]
        found.append(record["floor"].get(name))
        if any(value is not None for value in found):
            table.add_row(title, *("" if v is None else f"{v:.3f}" for v in found))
    table.caption = f"trained on these: {record['learnt']}, of held-out reals"
    return table


def draw(path: Path, schema: Schema, train: ImageTensors, candidates: list[Candidate]) -> None:
    """Write a picture: the first two numbers of reals and of each candidate, coloured by label."""
    sets = [("training rows", train.images, train.labels if schema.label else None)]
    sets += [(c.name, c.images, c.labels) for c in candidates]
    frames = [(name, frame(schema, points, labels), labels) for name, points, labels in sets]
    numbers = [c.name for c in schema.coordinates if c.kind != "category"][:2]
    figure = Figure(figsize=(4.5 * len(sets), 4.5), layout="constrained")
    panels = figure.subplots(1, len(sets), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, rows, labels) in zip(panels, frames, strict=True):
        axes.set_title(name, fontsize=9)
        if len(numbers) < 2:
            column = (numbers or [schema.coordinates[0].name])[0]
            axes.hist(rows[column], bins=30, density=bool(numbers))
            axes.set_xlabel(column)
            continue
        if axes is not panels[0]:
            axes.scatter(*(frames[0][1][n][:DOTS] for n in numbers), s=4, color="0.75")
        for label, value in enumerate(schema.classes if labels is not None else [""]):
            chosen = rows if labels is None else rows[labels.numpy() == label]
            axes.scatter(*(chosen[n][:DOTS] for n in numbers), s=4, label=value)
        axes.set_xlabel(numbers[0])
        axes.set_ylabel(numbers[1])
        if labels is not None and len(schema.classes) <= 10:
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)
