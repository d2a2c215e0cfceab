"""evaluation.png: samples beside their nearest training images, bars and histogram."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import pad

from gan_lightning.evaluation.candidates import Candidate
from gan_lightning.evaluation.judge import Judge, Verdict
from gan_lightning.metrics.diversity import class_shares
from gan_lightning.pixels import grid

PAIRS_A_CLASS = 5
BARS = ("precision", "recall", "density", "coverage")


def resized(images: Tensor, size: int) -> Tensor:
    """Return uint8[N, C, H, W] at that size, centred if smaller: reals may have another one."""
    more = size - images.shape[-1]
    low = int(more / 2)
    return pad(images, (low, more - low, low, more - low))  # what is below 0 is cut off


def class_pairs(candidate: Candidate, verdict: Verdict, judge: Judge) -> np.ndarray:
    """Return [H, W, 3]: a row a predicted class, each sample beside its nearest training image.

    The last row shows the pairs nearest of all.
    """
    training, size = judge.data.split(train=True).images, candidate.images.shape[-1]
    channels = candidate.images.shape[1]
    blank = torch.full((channels, size, size), 255, dtype=torch.uint8)

    def real(index: int) -> Tensor:
        image = resized(training[index : index + 1], size)[0]
        return image.expand(channels, -1, -1) if len(image) == 1 else image[:channels]

    cells: list[Tensor] = []
    for label in judge.data.classes:
        rows = (verdict.predictions == label).nonzero()[:PAIRS_A_CLASS, 0].tolist()
        for row in rows:
            cells += [candidate.images[row], real(int(verdict.memorisation.neighbours[row]))]
        cells += [blank] * (2 * (PAIRS_A_CLASS - len(rows)))
    for fake, index in verdict.memorisation.pairs[:PAIRS_A_CLASS].tolist():
        cells += [candidate.images[fake], real(index)]
    picture = grid(cells, len(cells), 2 * PAIRS_A_CLASS, background=255)
    return picture.expand(3, -1, -1).permute(1, 2, 0).numpy()


def _pairs_panel(axes: Axes, candidate: Candidate, verdict: Verdict, judge: Judge) -> None:
    picture = class_pairs(candidate, verdict, judge)
    axes.imshow(picture)
    names = [str(label) for label in judge.data.classes] + ["nearest\nof all"]
    step = picture.shape[0] / len(names)
    axes.set_yticks([step * (i + 0.5) for i in range(len(names))], names)
    axes.set_xticks([])
    axes.set_title(f"{candidate.name}\nsample, nearest training image, ...", fontsize=9)


def _bars_panel(axes: Axes, names: list[str], values: list[list[float]], ticks: list[str]) -> None:
    width = 0.8 / len(names)
    for i, (name, heights) in enumerate(zip(names, values, strict=True)):
        places = [x + (i - (len(names) - 1) / 2) * width for x in range(len(ticks))]
        axes.bar(places, heights, width, label=name, color="0.6" if name == "reals" else None)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_ylim(0, 1.4 * max(max(heights) for heights in values))  # room for the legend
    axes.legend(fontsize=7)


def draw(path: Path, candidates: list[Candidate], verdicts: list[Verdict], judge: Judge) -> None:
    """Write the picture."""
    columns = max(2, len(candidates))
    figure = Figure(figsize=(4.5 * columns, 9), layout="constrained")
    places = figure.add_gridspec(2, 2 * columns, height_ratios=(2, 1))
    for i, (candidate, verdict) in enumerate(zip(candidates, verdicts, strict=True)):
        axes = figure.add_subplot(places[0, 2 * i : 2 * i + 2])
        _pairs_panel(axes, candidate, verdict, judge)
    names = [candidate.name for candidate in candidates] + ["reals"]
    found = [verdict.scores["train"] for verdict in verdicts] + [judge.floors["train"]]
    bars = figure.add_subplot(places[1, :columns])
    _bars_panel(bars, names, [[s[bar].value for bar in BARS] for s in found], list(BARS))
    bars.set_title(f"against the training split, {judge.count:,} samples", fontsize=9)
    classes, reals = judge.data.classes, judge.reals["train"]
    shares = [verdict.shares for verdict in verdicts]
    shares.append(class_shares(reals.labels, reals.num_classes))
    histogram = figure.add_subplot(places[1, columns:])
    heights = [share[classes].tolist() for share in shares]
    _bars_panel(histogram, names, heights, [str(label) for label in classes])
    histogram.set_title("share of each class (predicted)", fontsize=9)
    figure.savefig(path, dpi=110)
