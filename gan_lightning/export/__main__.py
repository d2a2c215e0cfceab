"""The command line of an export: `python -m gan_lightning.export --help` shows examples."""

import sys

from gan_lightning.errors import UserError
from gan_lightning.system.key_values import Reader, decimal, key_values, names, optional, switch

HELP = """Write a trained generator as a folder ready to publish. docs/export.md has the details.

python -m gan_lightning.export                                 # the newest run's best, as ONNX
python -m gan_lightning.export generator=outputs/DATE/RUN output=digits
python -m gan_lightning.export format=torch                    # a torch.export program

generator=null    # a run folder, a generator file or a .ckpt; null: the newest in outputs/
format=onnx       # onnx (opset 20; needs the extra `onnx`) or torch
output=null       # the folder; null: exports/RUN-FORMAT
overwrite=false   # true: replace the files of an export that is there
truncation=null   # of stylegan2: 0 to 1, the smaller the more typical
trust=null        # mypkg.MyGenerator: a class outside this package whose code may run; [a.X,b.Y]"""
KEYS: dict[str, Reader] = {
    "generator": optional(str),
    "format": str,
    "output": optional(str),
    "overwrite": switch,
    "truncation": optional(decimal),
    "trust": optional(names),
}


def main(arguments: list[str] | None = None) -> None:
    """Export; a user's mistake is one sentence and status 2."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(given):
        print(HELP)
        return
    try:
        asked = key_values(given, KEYS)
        from gan_lightning.export.folder import Asked, export  # torch: not for --help

        export(Asked(**asked))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
