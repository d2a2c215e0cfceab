"""The contract of a mode, and what it works on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.modes.sheet import Sheet, write_sheet
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.draw import sample_labels
from gan_lightning.sampling.latents import sample_latents
from gan_lightning.sampling.write import check_output, is_point

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
        reals: returns the data that the generator was trained on.
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

    @property
    def name(self) -> str:
        """How a file is called if the user does not say."""
        return type(self).__name__.lower()

    def ending(self, subject: Subject) -> str:
        """Return that of a file which the user does not name."""
        return ".png"

    def check(self, subject: Subject, output: Path | None) -> None:
        """Raise UserError if it cannot be done, before anything is computed."""
        if output:
            table = subject.metadata.schema is not None
            check_output(output, subject.overwrite, table, self.endings)

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
