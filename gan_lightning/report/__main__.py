"""`python -m gan_lightning.report RUN [RUN...]`: writes or renews the report of runs."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.report.page import write_report


def main(arguments: list[str] | None = None) -> None:
    """Write the reports and say where they are; status 2 if one of the folders has none."""
    parser = ArgumentParser(
        "python -m gan_lightning.report",
        description="Write or renew report.html and samples.gif of runs, older ones too.",
    )
    parser.add_argument("run", nargs="+", type=Path, metavar="RUN", help="a run folder")
    status = 0
    for folder in parser.parse_args(arguments).run:
        try:
            print(write_report(folder))
        except UserError as error:
            print(error, file=sys.stderr)
            status = 2
        except OSError as error:
            where = error.filename or folder
            print(f"{folder}: no report: {where}: {error.strerror}", file=sys.stderr)
            status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
