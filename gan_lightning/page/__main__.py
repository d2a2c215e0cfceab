"""The command: a server on 127.0.0.1, and a browser; a user's mistake is a sentence, status 2."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.system.signals import watched

HELP = """python -m gan_lightning.page: a page to play with a generator, and the lab

  generator=PATH   a run folder, a .safetensors or a .ckpt; left out: the newest in outputs/
  port=8000        of 127.0.0.1, on which it is served; 0: any that is free
  open=true        whether to open a browser
  lab=FOLDER       recordings of callbacks=lab below it, beside those that come with the page
  trust=CLASS      mypkg.MyGenerator: a class outside this package whose code may run
"""
SWITCH = {"true": True, "false": False}


@dataclass
class Asked:
    """What was asked for on the command line."""

    generator: Path | None = None
    port: int = 8000
    open: bool = True
    lab: Path | None = None
    trust: str | None = None


def read_arguments(words: list[str]) -> Asked:
    """Return what KEY=VALUE words ask for; UserError if one is none or wrong."""
    asked = Asked()
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in vars(asked):
            known = ", ".join(f"{name}=..." for name in vars(asked))
            raise UserError(f"{word!r} is none of {known}; --help shows them")
        if key == "port":
            if not value.isdecimal() or not 0 <= int(value) < 1 << 16:
                raise UserError(f"port={value} must be a whole number from 0 to 65535")
            asked.port = int(value)
        elif key == "open":
            if value.lower() not in SWITCH:
                raise UserError(f"open={value} must be true or false")
            asked.open = SWITCH[value.lower()]
        elif value and value != "null":
            setattr(asked, key, value if key == "trust" else Path(value))
    return asked


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C, which is status 130."""
    words = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return
    with watched():  # Ctrl-C is status 130 and SIGTERM 143 from here on
        try:
            asked = read_arguments(words)
            for library in ("starlette", "uvicorn"):
                if find_spec(library) is None:
                    way = "pip install -c constraints.txt -e '.[page]'"
                    raise UserError(f"the page needs {library}: {way}")
            from gan_lightning.page.serve import serve  # takes a second: torch

            serve(asked.generator, asked.port, asked.open, asked.lab, asked.trust)
        except UserError as error:
            print(error, file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
