"""The samples that D takes for real most."""

from pathlib import Path

import torch

from gan_lightning.errors import UserError
from gan_lightning.modes.base import Mode, Subject, judge_of, shown
from gan_lightning.ranges import Count, validated
from gan_lightning.sampling.draw import sample_chunks
from gan_lightning.sampling.place import IDX, check_room
from gan_lightning.sampling.write import write_samples

MOST = 1_000_000  # samples looked at


@validated
class Best(Mode):
    """Draws `of` times `num_samples`, and keeps those with the largest D(x, y) of each label.

    Source: Azadi et al. 2019, Discriminator Rejection Sampling (there with a random acceptance).

    Args:
        of: how many samples are drawn for each that is kept.
    """

    endings = (".png", ".npz", IDX, "")
    reads = ("train_judge",)

    def __init__(self, of: Count = 10) -> None:
        self.of = of

    def check(self, subject: Subject, output: Path | None) -> None:
        super().check(subject, output)
        judge_of(subject, subject.train_judge)
        if self.of * subject.num_samples > MOST:
            raise UserError(f"mode.of={self.of}: more than {MOST:,} samples to choose from")

    def run(self, subject: Subject, output: Path) -> str:
        generator, count = subject.generator, subject.num_samples
        check_room(output, count, tuple(generator.image_shape), bool(subject.labels))
        judge, drawn = judge_of(subject, subject.train_judge), self.of * count
        drawn_chunks = sample_chunks(generator, drawn, subject.seed, subject.labels)
        chunks = list(shown(drawn_chunks, drawn))
        images = torch.cat([x for x, _ in chunks])
        y = torch.cat([y for _, y in chunks if y is not None]) if subject.labels else None
        logits = judge.logits(images, None if judge.centres is not None else y)
        order = logits.argsort(descending=True)
        if y is None:
            chosen, labels = order[:count], None
        else:
            labels = y[:count]  # in turn, as those of the grid
            ranked = {label: iter(order[y[order] == label].tolist()) for label in subject.labels}
            chosen = torch.tensor([next(ranked[label]) for label in labels.tolist()])
        kept = iter([(images[chosen], labels)])
        write_samples(output, kept, count, num_classes=generator.num_classes)
        mean, best = logits.mean().item(), logits[chosen].mean().item()
        about = f"logits of D {best:.3g}, of all {mean:.3g}"
        return f"the best {count} of {drawn} samples ({about}) of {subject.name} -> {output}"
