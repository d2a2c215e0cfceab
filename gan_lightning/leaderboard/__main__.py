"""The command line of the leaderboard: `python -m gan_lightning.leaderboard --help` shows it."""

import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.system.key_values import Reader, key_values, optional, switch

HELP = """Settings ranked over the runs in folders. docs/leaderboard.md says what the columns mean.

python -m gan_lightning.leaderboard outputs                          # all runs below, in Markdown
python -m gan_lightning.leaderboard SWEEP SWEEP output=board.html    # also .md and .csv
python -m gan_lightning.leaderboard SWEEP compare=SWEEP              # two folders row by row

output=null       # a file that ends in .md, .html or .csv; null: Markdown on the terminal
compare=null      # a folder whose runs are B, beside A, those of the folders before it
scores=null       # live or evaluation: rank by these alone; null: by those that most runs have
pictures=null     # with output=FILE.md: a folder for the grid of each row (a .html has them in it)
overwrite=false   # true: replace the file that is there"""
KEYS: dict[str, Reader] = {
    "output": optional(Path),
    "compare": optional(Path),
    "scores": optional(str),
    "pictures": optional(Path),
    "overwrite": switch,
}
ENDINGS = (".md", ".html", ".csv")


@dataclass
class Asked:
    """What was asked for on the command line."""

    folders: list[Path] = field(default_factory=list)
    output: Path | None = None
    compare: Path | None = None
    scores: str | None = None
    pictures: Path | None = None
    overwrite: bool = False


def parsed(arguments: list[str]) -> Asked:
    """Return what folders and KEY=VALUE arguments ask for; UserError if one is wrong."""
    folders = [item for item in arguments if "=" not in item or Path(item).is_dir()]
    if not folders:
        raise UserError("name one or more folders of runs, such as outputs: see --help")
    given = key_values([item for item in arguments if item not in folders], KEYS)
    asked = Asked([Path(folder) for folder in folders], **given)
    _check(asked)
    return asked


def _check(asked: Asked) -> None:
    """Raise UserError if the output cannot be written so."""
    output = asked.output
    if output and output.suffix not in ENDINGS:
        raise UserError(f"output={output} must end in {', '.join(ENDINGS)}")
    if output and output.exists() and not asked.overwrite:
        raise UserError(f"output={output} exists: choose another, or set overwrite=true")
    if asked.pictures and (not output or output.suffix != ".md"):
        raise UserError(f"pictures={asked.pictures} goes with output=FILE.md")


def made(asked: Asked, command: str) -> str:
    """Return the text of the format that was asked for; pictures of a Markdown page are written."""
    from gan_lightning.leaderboard.board import read_board  # torch: not for --help
    from gan_lightning.leaderboard.compare import compare, compared, pair_records
    from gan_lightning.leaderboard.formats import csv_text, markdown, page
    from gan_lightning.leaderboard.sections import records, sections

    ending = asked.output.suffix if asked.output else ".md"
    if asked.compare:
        pairs = compare(asked.folders, [asked.compare], asked.scores)
        if ending == ".csv":
            return csv_text(pair_records(pairs))
        parts, title = compared(pairs, asked.folders, asked.compare), "Two folders row by row"
    else:
        board = read_board(asked.folders, asked.scores)
        if ending == ".csv":
            return csv_text(records(board))
        parts, title = sections(board), f"Leaderboard: {' '.join(map(str, asked.folders))}"
    if ending == ".html":
        return page(parts, title, command)
    beside = str(asked.output.parent) if asked.output else "."
    return f"# {title}\n\n" + markdown(parts, asked.pictures, beside)


def main(arguments: list[str] | None = None) -> None:
    """Show or write the board; a user's mistake is one sentence and status 2."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(given):
        print(HELP)
        return
    try:
        asked = parsed(given)
        text = made(asked, shlex.join(["python", "-m", "gan_lightning.leaderboard", *given]))
        if not asked.output:
            print(text, end="")
            return
        _write(asked.output, text)
        print(asked.output)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _write(path: Path, text: str) -> None:
    from gan_lightning.system.files import atomic_write

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text.encode(errors="replace")
        atomic_write(path, lambda file: file.write_bytes(content))
    except OSError as error:
        where = error.filename or path
        raise UserError(f"output={path} cannot be written: {where}: {error.strerror}") from error


if __name__ == "__main__":
    main()
