"""Score generators or images against real ones: `python evaluate.py`; `--help` shows examples."""

import sys

from omegaconf import DictConfig
from rich.console import Console

from gan_lightning.cli import entry
from gan_lightning.config import plain_evaluate, quote_lists
from gan_lightning.evaluation import evaluate
from gan_lightning.evaluation.reals import with_own_reals


@entry("evaluate")
def main(config: DictConfig) -> None:
    """Score, write, show."""
    console = Console(highlight=False)
    output = evaluate(plain_evaluate(with_own_reals(config)), console)
    console.print(f"{output}\n{output.with_suffix('.png')}", soft_wrap=True)


if __name__ == "__main__":
    sys.argv[1:] = quote_lists(sys.argv[1:])
    main()
