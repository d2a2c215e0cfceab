"""Draw images or rows from a trained generator: `python sample.py`; `--help` shows examples."""

from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.cli.entry import entry, leave
from gan_lightning.config.schema import plain_sample


@entry("sample")
def main(config: DictConfig, _: CommandLine) -> None:
    """Load, and do what the mode says."""
    # Here, for these import torch, and `--help` is to be quick.
    from gan_lightning.config.nodes import build_node
    from gan_lightning.evaluation.default_data import reals_of
    from gan_lightning.export.generator_file import newest_generator, read_generator
    from gan_lightning.export.metadata import asked_labels
    from gan_lightning.modes.base import Mode, Subject
    from gan_lightning.sampling.draw import one_device
    from gan_lightning.sampling.place import free_path

    asked = plain_sample(config)
    mode: Mode = build_node(asked.mode, "mode")
    path = Path(asked.generator) if asked.generator else newest_generator(Path("outputs"))
    generator, metadata, file = read_generator(path, asked.trust)
    labels, counts = asked_labels(metadata, asked.label, asked.labels)
    if asked.truncation is not None:
        generator.truncate(asked.truncation)
    subject = Subject(
        generator=generator.to(one_device(asked.accelerator)),
        metadata=metadata,
        file=file,
        labels=labels,
        counts=counts,
        num_samples=asked.num_samples,
        seed=asked.seed,
        image=Path(asked.image) if asked.image else None,
        overwrite=asked.overwrite,
        train_judge=asked.train_judge,
        truncation=asked.truncation,
        trust=asked.trust,
        whole=asked.label is None and asked.truncation is None,
        reals=partial(reals_of, metadata, path),
    )
    output = Path(asked.output) if asked.output else None
    mode.check(subject, output)
    if not output:
        output = free_path(file.with_name(f"{mode.stem}-seed{asked.seed}{mode.ending(subject)}"))
    print(mode.run(subject, output))


if __name__ == "__main__":
    main()
    leave()
