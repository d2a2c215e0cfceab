"""The command: a server on 127.0.0.1, and a browser; a user's mistake is a sentence, status 2."""

import sys
from importlib.util import find_spec
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.system.key_values import Reader, key_values, names, optional, switch, whole
from gan_lightning.system.signals import watched

HELP = """python -m gan_lightning.page: a page to play with a generator, and the lab

  generator=PATH   a run folder, .safetensors, .ckpt or exported ONNX; left out: the newest
  port=8000        of 127.0.0.1, on which it is served; 0: any that is free
  open=true        whether to open a browser
  lab=FOLDER       recordings of callbacks=lab below it, beside those that come with the page
  trust=CLASS      mypkg.MyGenerator: a class outside this package whose code may run; or [a.G,b.D]
"""
KEYS: dict[str, Reader] = {
    "generator": optional(Path),
    "port": whole(0, 65535),
    "open": switch,
    "lab": optional(Path),
    "trust": optional(names),
}


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C, which is status 130."""
    words = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return
    with watched():  # Ctrl-C is status 130 and SIGTERM 143 from here on
        try:
            asked = key_values(words, KEYS)
            for library in ("starlette", "uvicorn"):
                if find_spec(library) is None:
                    way = "pip install -c constraints.txt -e '.[page]'"
                    raise UserError(f"the page needs {library}: {way}")
            from gan_lightning.page.serve import serve  # takes a second: torch

            serve(**asked)
        except UserError as error:
            print(error, file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
