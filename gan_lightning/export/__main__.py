"""The command line of an export: `python -m gan_lightning.export --help` shows examples."""

import sys
from difflib import get_close_matches
from typing import Any

from gan_lightning.errors import UserError

HELP = """Write a trained generator as a folder ready to publish. docs/export.md has the details.

python -m gan_lightning.export                                 # the newest run's best, as ONNX
python -m gan_lightning.export generator=outputs/DATE/RUN output=digits
python -m gan_lightning.export format=torch                    # a torch.export program

generator=null    # a run folder, a generator file or a .ckpt; null: the newest in outputs/
format=onnx       # onnx (opset 20; needs the extra `onnx`) or torch
output=null       # the folder; null: exports/RUN-FORMAT
overwrite=false   # true: replace the files of an export that is there
truncation=null   # of stylegan2: 0 to 1, the smaller the more typical
trust=null        # mypkg.MyGenerator: a class outside this package whose code may run"""
KEYS = ("generator", "format", "output", "overwrite", "truncation", "trust")


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return the fields of `Asked` that KEY=VALUE arguments give; UserError if one is wrong."""
    found: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not value:
            raise UserError(f"{argument!r} is not KEY=VALUE, such as format=onnx: see --help")
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1) or [", ".join(KEYS)]
            raise UserError(f"{key}={value}: there is no key {key}; did you mean {near[0]}?")
        if key in found:
            raise UserError(f"{key} is given twice")
        found[key] = None if value == "null" else value
    if found.get("overwrite", "false") not in ("true", "false"):
        raise UserError(f"overwrite={found['overwrite']} must be true or false")
    found["overwrite"] = found.get("overwrite") == "true"
    if found.get("truncation") is not None:
        try:
            found["truncation"] = float(found["truncation"])
        except ValueError:
            raise UserError(f"truncation={found['truncation']} must be a number") from None
    if found.get("format", "onnx") is None:
        raise UserError("format=null: choose one of onnx, torch")
    return found


def main(arguments: list[str] | None = None) -> None:
    """Export; a user's mistake is one sentence and status 2."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(given):
        print(HELP)
        return
    try:
        asked = parsed(given)
        from gan_lightning.export.folder import Asked, export  # torch: not for --help

        export(Asked(**asked))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
