"""Score generators or images against real ones: `python evaluate.py`; `--help` shows examples."""

import sys

from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine, quote_lists
from gan_lightning.cli.entry import entry
from gan_lightning.config.schema import plain_evaluate


@entry("evaluate")
def main(config: DictConfig, _: CommandLine) -> None:
    """Score, write, show."""
    # Here, for these import torch and Lightning, and `--help` is to be quick.
    from rich.console import Console

    from gan_lightning.evaluation.default_data import with_own_reals
    from gan_lightning.evaluation.evaluate import evaluate

    console = Console(highlight=False)
    output = evaluate(plain_evaluate(with_own_reals(config)), console)
    console.print(f"{output}\n{output.with_suffix('.png')}", soft_wrap=True)


if __name__ == "__main__":
    sys.argv[1:] = quote_lists(sys.argv[1:])
    main()
