"""D as judge: P(fake | features) of images, and how far to trust it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import Judge as Read
from gan_lightning.export.discriminator_file import judge_file, save_judge
from gan_lightning.modes.base import Mode, Subject, judge_of, require_images
from gan_lightning.modes.calibration import (
    calibrate,
    fresh_fakes,
    held_out_reals,
    reliability,
    train_judge,
)
from gan_lightning.modes.given import Given, read_given
from gan_lightning.pixels import to_uint8, to_unit_range, visible
from gan_lightning.ranges import Switch, validated
from gan_lightning.system.files import atomic_write, sha256

if TYPE_CHECKING:
    from gan_lightning.data import DataModule

LISTED = 20  # images in the table
SHOWN = 5  # reals and fakes, if no image is given
BINS = 20  # of the histogram
WIDE = 10  # images in a row of the picture


@validated
class Judge(Mode):
    """Says of each image how likely it is a fake, as D sees it; calibrated on first use.

    Args:
        calibrated: turn D's logits into probabilities by a scale and an offset, fitted on held-out
            reals and fresh fakes; False: by the sigmoid alone, as D was trained.
        fit: bring images of another size or colour to the generator's.
    """

    endings = (".png",)
    reads = ("image", "train_judge")

    def __init__(self, calibrated: Switch = True, fit: Switch = False) -> None:
        self.calibrated, self.fit = calibrated, fit

    def check(self, subject: Subject, output: Path | None) -> None:
        super().check(subject, output)
        require_images(subject, "judge")
        if subject.train_judge and not subject.whole:
            raise UserError(
                "train_judge=true is about all that the generator draws: leave out label= and "
                "truncation="
            )
        judge_of(subject, trained=self._ready(subject))

    def _ready(self, subject: Subject) -> bool:
        """Whether a trained judge is asked for, and there."""
        return subject.train_judge and judge_file(subject.file, True).is_file()

    def run(self, subject: Subject, output: Path) -> str:
        shape = tuple(subject.generator.image_shape)
        given = read_given(subject.image, shape, self.fit, "judge") if subject.image else None
        try:
            judge, *known = self._judge(subject, subject.reals())
        except UserError as error:
            judge, known = judge_of(subject, trained=self._ready(subject)), []
            if given is None or not _fits(judge, subject):
                raise
            print(f"how often it is right is not counted: {error}")
        given = given or _some(*known)
        kinds = dict(zip(("reals", "fakes"), known, strict=False))
        kinds["shown above"] = to_unit_range(given.images)
        p = {kind: judge.p_fake(images, raw=not self.calibrated) for kind, images in kinds.items()}
        _print(given.names, p["shown above"])
        _draw(output, given, p)
        return f"{_trust(p, self.calibrated)} -> {output}"

    def _judge(self, subject: Subject, data: "DataModule") -> tuple[Read, Tensor, Tensor]:
        """Return D, trained on and calibrated if asked, and the halves that it did not see."""
        reals, _ = held_out_reals(data)
        if reals.shape[1:] != tuple(subject.generator.image_shape):
            was = "x".join(map(str, reals.shape[1:]))
            raise UserError(f"mode=judge: images of {data.name} are {was}, D looks at others")
        fakes = fresh_fakes(subject, len(reals))
        judge = judge_of(subject, trained=self._ready(subject))
        of, known = f"{sha256(subject.file)} {data.name}", judge.calibration
        stale = known is None or known.fakes_of != of or not subject.whole
        if subject.train_judge and (stale or not self._ready(subject)):
            judge = train_judge(subject, judge_of(subject, trained=False), data)
            stale = True
        if stale:
            judge = judge.calibrated(calibrate(judge.logits(reals), judge.logits(fakes), of))
            if subject.whole:
                self._keep(subject, judge)
        half = len(reals) // 2
        return judge, reals[half:], fakes[half:]

    def _keep(self, subject: Subject, judge: Read) -> None:
        path = judge_file(subject.file, subject.train_judge)
        try:
            save_judge(path, judge)
        except OSError as error:
            print(f"{path} cannot be written ({error.strerror}): the next call does it again")


def _fits(judge: Read, subject: Subject) -> bool:
    """Whether D was calibrated for this generator."""
    known = judge.calibration
    return known is not None and known.fakes_of.startswith(sha256(subject.file))


def _some(reals: Tensor, fakes: Tensor) -> Given:
    """Return some images of both kinds."""
    count = min(SHOWN, len(reals))
    names = [f"{kind} {i}" for kind in ("real", "fake") for i in range(count)]
    return Given(to_uint8(torch.cat([reals[:SHOWN], fakes[:SHOWN]])), names)


def verdict(p_fake: float) -> str:
    """Return what is more likely."""
    return "fake" if p_fake > 0.5 else "real"


def _print(names: list[str], p: Tensor) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("image", "P(fake | features)", "verdict")
    for name, one in list(zip(names, p.tolist(), strict=True))[:LISTED]:
        table.add_row(name, f"{one:.3f}", verdict(one))
    console = Console()
    console.print(table)
    if len(names) > LISTED:
        called = (p > 0.5).float().mean().item()
        console.print(f"and {len(names) - LISTED:,} more; {called:.1%} of all are called fake")


def _trust(p: dict[str, Tensor], calibrated: bool) -> str:
    if "reals" not in p:
        return f"{len(p['shown above']):,} images judged"
    right = [(p["reals"] <= 0.5).float().mean().item(), (p["fakes"] > 0.5).float().mean().item()]
    words = (
        f"right about {right[0]:.1%} of {len(p['reals']):,} held-out reals and {right[1]:.1%} of "
        f"{len(p['fakes']):,} fresh fakes ({'calibrated' if calibrated else 'not calibrated'})"
    )
    likely = [one for one in _reliability(p) if 0.8 <= one[0] < 0.9]
    if likely:
        mean, share, count = likely[0]
        words += f"; of {count} with P(fake) near {mean:.2f}, {share:.0%} are fakes"
    return words


def _reliability(p: dict[str, Tensor]) -> list[tuple[float, float, int]]:
    fake = torch.cat([torch.zeros(len(p["reals"])), torch.ones(len(p["fakes"]))])
    return reliability(torch.cat([p["reals"], p["fakes"]]), fake)


def _draw(path: Path, given: Given, p: dict[str, Tensor]) -> None:
    """Write the images with verdicts, the histogram of all kinds, and the reliability."""
    from matplotlib.figure import Figure

    shown = visible(given.images[:LISTED])
    rows = -(-len(shown) // WIDE)
    figure = Figure(figsize=(10, 1.25 * rows + 3.4), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.25 * rows, 3.4))
    above, below = parts
    for axes in (cells := above.subplots(rows, WIDE, squeeze=False).flatten()):
        axes.set_axis_off()
    for axes, image, one in zip(cells, shown, p["shown above"].tolist(), strict=False):
        axes.imshow(image.permute(1, 2, 0), cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{one:.2f}: {verdict(one)}", fontsize=8)
    histogram, right = below.subplots(1, 2, width_ratios=(3, 2))
    for name, values in p.items():
        weights = torch.full((len(values),), 1 / len(values))
        histogram.hist(values, BINS, range=(0, 1), weights=weights, histtype="step", label=name)
    histogram.set(xlabel="P(fake | features)", ylabel="share of the images")
    histogram.legend(fontsize=8)
    found = _reliability(p) if "reals" in p else []
    right.plot([0, 1], [0, 1], color="grey", linestyle=":")
    right.plot([one[0] for one in found], [one[1] for one in found], marker="o")
    right.set(xlabel="P(fake | features)", ylabel="share that are fakes", xlim=(0, 1), ylim=(0, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, lambda file: figure.savefig(file, dpi=100, format="png"))
