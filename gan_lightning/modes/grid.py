"""Samples: a grid, arrays, a folder, MNIST's files, rows of a table."""

from pathlib import Path

from gan_lightning.modes.base import Mode, Subject, shown
from gan_lightning.sampling.draw import sample_chunks
from gan_lightning.sampling.place import IDX, check_room
from gan_lightning.sampling.write import write_samples

MANY = 100_000  # samples; from here on the disk they need is said even if it is there


class Grid(Mode):
    """`num_samples` samples, in bounded memory however many."""

    endings = (".png", ".npz", ".csv", IDX, "")
    reads = ("labels",)
    stem = "sample"

    def ending(self, subject: Subject) -> str:
        return ".csv" if subject.metadata.schema else ".png"

    def run(self, subject: Subject, output: Path) -> str:
        generator, count = subject.generator, subject.num_samples
        room = check_room(output, count, tuple(generator.image_shape), bool(subject.labels))
        if count > MANY:
            print(room, flush=True)
        known = (subject.labels, subject.counts)
        chunks = shown(sample_chunks(generator, count, subject.seed, *known), count)
        write_samples(output, chunks, count, subject.metadata.schema, generator.num_classes)
        return f"{count} samples of {subject.name} -> {output}"
