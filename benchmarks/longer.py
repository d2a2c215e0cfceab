"""FID over images seen of several runs, as a picture and a table: is longer ever worse?

python benchmarks/longer.py --output docs/images/longer.png "12 epochs=RUN" "40 epochs=RUN" ...
"""

import argparse
import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FLOOR = 0.036  # real images against real images: docs/metrics.md


def scores(run: Path) -> tuple[list[float], list[float]]:
    """Return (images seen, FID) of a run's metrics.csv."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["score/fid"]]
    return [float(r["images_seen"]) for r in rows], [float(r["score/fid"]) for r in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="LABEL=RUN")
    parser.add_argument("--output", type=Path, required=True)
    asked = parser.parse_args()
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    print("| run | images seen | FID at the end | best | at |\n|---|---|---|---|---|")
    for item in asked.runs:
        label, _, run = item.rpartition("=")
        seen, fid = scores(Path(run))
        (line,) = axes.plot([n / 1000 for n in seen], fid, marker=".", label=label)
        axes.annotate(f" {fid[-1]:.3f}", (seen[-1] / 1000, fid[-1]), color=line.get_color())
        best = min(range(len(fid)), key=fid.__getitem__)
        print(
            f"| {label} | {seen[-1]:,.0f} | {fid[-1]:.3f} | {fid[best]:.3f} | {seen[best]:,.0f} |"
        )
    axes.axhline(FLOOR, color="grey", linestyle=":", label=f"reals against reals, {FLOOR}")
    axes.set(yscale="log", xlabel="thousand images seen", ylabel="FID")
    axes.legend()
    figure.savefig(asked.output, dpi=110)


if __name__ == "__main__":
    main()
