"""Train a GAN: `python train.py [overrides]`; `--help` shows the groups and examples."""

from gan_lightning.system.signals import ENDINGS

if __name__ == "__main__":
    ENDINGS.install()  # before the seconds that the other imports take

from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.cli.entry import entry, with_resume


@entry("config")
def main(config: DictConfig, line: CommandLine) -> float | None:
    """Train one run, or go on with one."""
    from gan_lightning.runs.train import train  # takes seconds, which `--help` needs not

    return train(*with_resume(config, line))


if __name__ == "__main__":
    main()
