"""The command that writes shards; a user's mistake is a sentence, status 2."""

import sys
from pathlib import Path

from gan_lightning.errors import RunError, UserError
from gan_lightning.system.key_values import Reader, decimal, key_values, optional, whole
from gan_lightning.system.signals import watched

HELP = """python -m gan_lightning.shards: an image folder as shards, for data=shards

  input=FOLDER        images, a folder a class, or train/ and test/ (docs/data.md)
  output=FOLDER       is made; it must not be there yet
  image_size=null     side of the images written; null: that which all have
  channels=null       1: grey, 3: colour; null: 3 if one of the first thousand has colours
  shard_size=null     images in a shard; null: as many as 32 MiB hold
  test_fraction=0.1   held out to test on, if there is no test/
  background=black    what transparent images are put on: black or white
"""
KEYS: dict[str, Reader] = {
    "input": Path,
    "output": Path,
    "image_size": optional(whole(1)),
    "channels": optional(whole(1)),
    "shard_size": optional(whole(1)),
    "test_fraction": decimal,
    "background": str,
}


def main(arguments: list[str] | None = None) -> None:
    """Write them; Ctrl-C is status 130."""
    words = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return
    with watched():
        try:
            asked = key_values(words, KEYS)
            if missing := [key for key in ("input", "output") if key not in asked]:
                raise UserError(f"{missing[0]}=FOLDER is missing")
            from gan_lightning.shards.write import Asked, write_shards  # takes seconds: torch

            print(write_shards(Asked(**asked)))
        except (UserError, RunError) as error:
            print(error, file=sys.stderr)
            sys.exit(2 if isinstance(error, UserError) else 1)


if __name__ == "__main__":
    main()
