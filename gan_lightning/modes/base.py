"""The contract of a mode, and what it works on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from torch import Tensor
from tqdm import tqdm

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import Judge, judge_file, read_judge
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.export.rebuild import Trust
from gan_lightning.modes.sheet import Sheet, write_sheet
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.draw import CHUNK, sample_labels
from gan_lightning.sampling.idx_pair import check_idx, is_idx
from gan_lightning.sampling.latents import sample_latents
from gan_lightning.sampling.place import check_output, is_point

T = TypeVar("T")

if TYPE_CHECKING:  # sampling does not wait for Lightning
    from gan_lightning.data import DataModule


@dataclass(frozen=True)
class Subject:
    """A generator, and what the command line says about it.

    Args:
        generator: in eval mode, on the device asked for.
        file: which was read.
        labels: to be drawn, in turn, or as often as `counts` say; none if unconditional.
        image: a file or folder given by the user, if any.
        truncation, trust: as the command line has them.
        reals: returns the data that the generator was trained on.
        whole: whether its samples are all that it draws, not of one label or truncated.
    """

    generator: Generator
    metadata: GeneratorMetadata
    file: Path
    labels: Sequence[int]
    counts: Sequence[int]
    num_samples: int
    seed: int
    image: Path | None
    overwrite: bool
    train_judge: bool
    truncation: float | None
    trust: Trust
    whole: bool
    reals: "Callable[[], DataModule]"

    @property
    def name(self) -> str:
        """The generator, and how good it was when it was written."""
        return f"{self.file} ({self.metadata.dataset}; {self.metadata.standing})"

    def latents(self, first: int, count: int, seed: int | None = None) -> Tensor:
        """Return z[count, L] of samples first, first + 1, ...; by default of the seed asked."""
        seed = self.seed if seed is None else seed
        return sample_latents(seed, first, count, self.generator.latent_dim)

    def y(self, count: int, first: int = 0) -> Tensor | None:
        """Return labels int64[count] in turn; None without any."""
        if not self.labels:
            return None
        return sample_labels(first, count, self.labels)


class Mode:
    """What to do with a generator; `conf/mode` has one YAML for each."""

    endings: ClassVar[tuple[str, ...]]  # that the output may have; "" is a folder
    reads: ClassVar[tuple[str, ...]] = ()  # of `image`, `train_judge` and `labels`=joint

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return type(self).__name__.lower()

    @property
    def stem(self) -> str:
        """How a file is called that the user does not name."""
        return self.name

    def ending(self, subject: Subject) -> str:
        """Return that of a file which the user does not name."""
        return ".png"

    def check(self, subject: Subject, output: Path | None) -> None:
        """Raise UserError if it cannot be done, before anything is computed."""
        for key, given in (("image", subject.image), ("train_judge", subject.train_judge)):
            if given and key not in self.reads:
                raise UserError(f"{key}={given}: mode={self.name} does not look at it")
        if subject.counts and not subject.metadata.schema and "labels" not in self.reads:
            raise UserError(f"labels=joint: mode={self.name} takes labels in turn")
        if not output:
            return
        generator, table = subject.generator, subject.metadata.schema is not None
        check_output(output, subject.overwrite, table, self.endings)
        if is_idx(output):
            check_idx(output, tuple(generator.image_shape), generator.num_classes)
        if output.suffix == "" and not is_idx(output) and is_point(tuple(generator.image_shape)):
            raise UserError(f"output={output}: points are no images: end it in .png or .npz")

    def run(self, subject: Subject, output: Path) -> str:
        """Write the output; return what was done, in a sentence."""
        raise NotImplementedError


class SheetMode(Mode):
    """A mode whose result is rows and columns of images."""

    endings = (".png", ".gif", ".webp", ".npz", ".csv", "")

    def sheet(self, subject: Subject) -> Sheet:
        """Return them."""
        raise NotImplementedError

    def run(self, subject: Subject, output: Path) -> str:
        sheet = self.sheet(subject)
        write_sheet(output, sheet, subject.metadata.schema)
        return f"{sheet.about} of {subject.name} -> {output}"


def require_images(subject: Subject, mode: str) -> None:
    """Raise UserError if the generator draws points or rows of a table."""
    if is_point(tuple(subject.generator.image_shape)):
        kind = "rows of a table" if subject.metadata.schema else "points"
        raise UserError(f"mode={mode}: this generator draws {kind}, not images")


def judge_of(subject: Subject, trained: bool) -> Judge:
    """Return the run's D; UserError if there is none, or it looks at other images than G draws."""
    judge = read_judge(subject.file, subject.trust, trained)
    seen, drawn = (tuple(of.image_shape) for of in (judge.metadata, subject.generator))
    if seen != drawn:
        of = judge_file(subject.file, trained)
        raise UserError(f"{of}: D looks at images of another shape than {subject.file} draws")
    return judge


def shown(chunks: Iterator[T], total: int) -> Iterator[T]:
    """Yield chunks of samples; on a terminal a bar shows how many there are, after a second."""
    with tqdm(
        total=total, desc="sampling", unit=" samples", leave=False, delay=1, disable=None
    ) as bar:
        for chunk in chunks:
            yield chunk
            bar.update(min(CHUNK, total - bar.n))
