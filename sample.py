"""Draw images or rows from a trained generator: `python sample.py`; `--help` shows examples."""

from pathlib import Path

from omegaconf import DictConfig

from gan_lightning.cli.arguments import CommandLine
from gan_lightning.cli.entry import entry
from gan_lightning.config.schema import plain_sample

MANY = 100_000  # samples; from here on the disk they need is said even if it is there


@entry("sample")
def main(config: DictConfig, _: CommandLine) -> None:
    """Load, sample, write."""
    # Here, for these import torch, and `--help` is to be quick.
    from gan_lightning.export.generator_file import newest_generator, read_generator
    from gan_lightning.export.metadata import asked_labels
    from gan_lightning.sampling.draw import one_device, sample_chunks
    from gan_lightning.sampling.idx_pair import check_idx, is_idx
    from gan_lightning.sampling.write import check_output, check_room, free_path, write_samples

    asked = plain_sample(config)
    path = Path(asked.generator) if asked.generator else newest_generator(Path("outputs"))
    generator, metadata, file = read_generator(path, asked.trust)
    labels, counts = asked_labels(metadata, asked.label, asked.labels)
    if asked.truncation is not None:
        generator.truncate(asked.truncation)
    schema = metadata.schema
    if asked.output:
        output = Path(asked.output)
        check_output(output, asked.overwrite, table=schema is not None)
        if is_idx(output):
            check_idx(output, tuple(generator.image_shape), generator.num_classes)
    else:
        ending = "csv" if schema else "png"
        output = free_path(file.with_name(f"sample-seed{asked.seed}.{ending}"))
    room = check_room(output, asked.num_samples, tuple(generator.image_shape), bool(labels))
    if asked.num_samples > MANY:
        print(room, flush=True)
    device = one_device(asked.accelerator)
    chunks = sample_chunks(generator.to(device), asked.num_samples, asked.seed, labels, counts)
    write_samples(output, chunks, asked.num_samples, schema)
    source = f"{file} ({metadata.dataset}; {metadata.standing})"
    print(f"{asked.num_samples} samples of {source} -> {output}")


if __name__ == "__main__":
    main()
