"""Marks in physics and maths of students, with y easy or hard: a table to learn from."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from gan_lightning.errors import UserError
from gan_lightning.lecture.arguments import add_seed, check
from gan_lightning.system.files import atomic_write

HELP = "a CSV of students: physics, maths, and y, how they found the exam"
# Points of 100: mean and deviation in physics and maths, and how these go together.
EXAMS = {
    "easy": ((72.0, 9.0), (75.0, 10.0), 0.7),
    "hard": ((54.0, 11.0), (50.0, 12.0), 0.8),
}
EASY = 0.5  # share of the students


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument("--output", type=Path, default=Path("marks.csv"), help="default: marks.csv")
    parser.add_argument("--rows", type=int, default=500, help="students; default: 500")
    add_seed(parser, "the draws")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def marks(rows: int = 500, seed: int = 0) -> list[tuple[str, str, str]]:
    """Return (physics, maths, y) of students; marks have one decimal, from 0 to 100."""
    random = np.random.default_rng(seed)
    found = []
    for easy in random.random(rows) < EASY:
        y = "easy" if easy else "hard"
        (mean, deviation), (other_mean, other_deviation), together = EXAMS[y]
        a, b = random.standard_normal(2)
        physics = mean + deviation * a
        maths = other_mean + other_deviation * (together * a + (1 - together**2) ** 0.5 * b)
        found.append((f"{min(max(physics, 0), 100):.1f}", f"{min(max(maths, 0), 100):.1f}", y))
    return found


def main(asked: Namespace) -> str:
    """Write the file; return what was written. UserError if it is there, or rows are none."""
    check(asked, "rows")
    if asked.output.exists() and not asked.overwrite:
        raise UserError(f"{asked.output} exists: choose another by --output, or add --overwrite")
    lines = [("physics", "maths", "y"), *marks(asked.rows, asked.seed)]
    text = "".join(f"{','.join(line)}\n" for line in lines)
    try:
        atomic_write(asked.output, lambda file: file.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--output {asked.output} cannot be written: {error.strerror}") from error
    return f"{asked.rows:,} students -> {asked.output}"
