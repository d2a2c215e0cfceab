"""The command line: a subcommand writes its file or shows its tables, and says what it found."""

import sys
from argparse import ArgumentParser

from gan_lightning.errors import UserError
from gan_lightning.lecture import classify, joint, marks, plane, scaling, steps

# Each with HELP, add_arguments(parser) and main(arguments) -> what was found.
COMMANDS = {
    "classify": classify,
    "joint": joint,
    "marks": marks,
    "plane": plane,
    "scaling": scaling,
    "steps": steps,
}


def main(arguments: list[str] | None = None) -> None:
    """Run one subcommand; a user's mistake is one sentence and status 2."""
    parser = ArgumentParser("python -m gan_lightning.lecture", description="The lecture, runnable.")
    choices = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        module.add_arguments(choices.add_parser(name, help=module.HELP, description=module.HELP))
    asked = parser.parse_args(arguments)
    try:
        print(COMMANDS[asked.command].main(asked))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
