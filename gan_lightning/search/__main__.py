"""The command line of a search: `python -m gan_lightning.search --help` shows it."""

import shlex
import sys
from importlib.util import find_spec

from gan_lightning.errors import RunError, UserError
from gan_lightning.search.asked import parsed
from gan_lightning.system.signals import watched

HELP = """Search settings by Optuna; each trial is a run of train.py. docs/search.md has details.

python -m gan_lightning.search folder=outputs/search/NAME images=100000 max_time=1h jobs=2
python -m gan_lightning.search folder=outputs/search/NAME space=my.yaml loss=hinge data=digits

The same command goes on with a search that was stopped or killed. All other KEY=VALUE are
overrides of train.py, for each trial.

folder=...        where the search is kept; its trials are runs in trials/0000, 0001, ...
space=default     an option of conf/search, or a YAML file: the settings and their ranges
trials=40         how many trials, pruned and failed ones too
max_time=null     90s, 15m, 1h30m: of all starts together
jobs=1            trials at once, which share the cores
images=null       a trial's budget in images seen; null: trainer.max_epochs
looks=5           with images: how often a trial is scored, and can be pruned"""


def main(arguments: list[str] | None = None) -> None:
    """Search; a user's mistake is one sentence and status 2."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"--help", "-h"} & set(given):
        print(HELP)
        return
    with watched() as signals:
        try:
            asked = parsed(given)
            if find_spec("optuna") is None:
                way = "pip install -c constraints.txt -e '.[search]'"
                raise UserError(f"the search needs optuna: {way}")
            from gan_lightning.search.search import search  # torch: not for --help

            search(asked, shlex.join(["python", "-m", "gan_lightning.search", *given]))
        except (UserError, RunError) as error:
            print(error, file=sys.stderr)
            sys.exit(2 if isinstance(error, UserError) else 1)
        if signals.status:
            sys.exit(signals.status)


if __name__ == "__main__":
    main()
