"""Arguments that several subcommands have, and how they are checked."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from gan_lightning.errors import UserError

MOST = 2**32  # numpy's seeds end there


def add_seed(parser: ArgumentParser, of: str) -> None:
    """Add --seed."""
    parser.add_argument("--seed", type=int, default=0, help=f"of {of}; default: 0")


def add_picture(parser: ArgumentParser, of: str) -> None:
    """Add --picture."""
    parser.add_argument("--picture", type=Path, default=None, help=f"a PNG of {of}")


def check(asked: Namespace, *counts: str) -> None:
    """Raise UserError if a count is below 1, the seed below 0 or the picture cannot be written."""
    for name, least in [*((count, 1) for count in counts), ("seed", 0)]:
        if not least <= (value := getattr(asked, name, least)) < MOST:
            raise UserError(f"--{name} {value} must be at least {least} and below {MOST}")
    picture = getattr(asked, "picture", None)
    if picture and (picture.suffix != ".png" or not picture.parent.is_dir()):
        raise UserError(f"--picture {picture} must end in .png, in a folder that is there")
