"""Generator files, and reading generators from run folders and checkpoints.

A generator file is a safetensors file: the averaged generator's tensors and one JSON string of
metadata. The network is built from a closed list of class names with plain arguments; nothing
in a file is ever imported, unpickled or instantiated. A class from elsewhere is imported only if
the user names it too (`trust`).
"""

import dataclasses
from pathlib import Path

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import (
    FORMAT_VERSION,
    GeneratorMetadata,
    checked,
    describe,
    is_plain,
    split_target,
)
from gan_lightning.export.rebuild import MAX_BYTES, Trust, blank, check_fit, check_shapes, fill
from gan_lightning.export.tensor_file import (
    UNREADABLE,
    Shapes,
    building,
    read_fields,
    read_tensors,
    reading,
    write_tensor_file,
)
from gan_lightning.networks.base import Generator
from gan_lightning.system.checkpoint_file import read_checkpoint
from gan_lightning.system.untrusted import printable

GENERATOR_FILE = "generator.safetensors"  # in a run folder: the latest
BEST_FILE = "best.safetensors"  # the one with the lowest FID so far, if the run is scored
Read = tuple[Generator, GeneratorMetadata]


def save_generator(path: Path, generator: Generator, metadata: GeneratorMetadata) -> None:
    """Write a generator file; a reader never sees half of it."""
    fields = dataclasses.asdict(metadata)
    if not metadata.table:  # older versions read files of images, and know of no tables
        del fields["table"]
    write_tensor_file(path, fields, generator.state_dict())


def read_generator_file(path: Path, trust: Trust = None) -> Read:
    """Read a `generator.safetensors`; the tensors last, once they fit. UserError if it is none."""
    with reading(path, "generator"):
        fields, expected = read_fields(path, FORMAT_VERSION)
        metadata = checked(GeneratorMetadata(**fields))
        found: list[Generator] = []

        def accept(shapes: Shapes) -> None:
            with building(path, "generator"):
                found.append(
                    blank(metadata.class_name, metadata.arguments, len(shapes), trust, Generator)
                )
                check_shapes(found[0], shapes, metadata.class_name)
                check_fit(found[0], metadata)

        tensors = read_tensors(path, fields, expected, accept)
        return fill(found[0], tensors), metadata


def generator_from_checkpoint(path: Path, trust: Trust = None) -> Read:
    """Read the averaged generator out of a `.ckpt`; UserError if there is none of this project."""
    if path.stat().st_size > 4 * MAX_BYTES:
        raise UserError(f"{path} is larger than {4 * MAX_BYTES >> 30} GiB")
    checkpoint = read_checkpoint(path)
    try:
        config, tensors = checkpoint.config, checkpoint.average()
        # A tensor may be a view that repeats one number: it would grow when it is first used.
        if sum(v.numel() * v.element_size() for v in tensors.values()) > path.stat().st_size:
            raise ValueError("tensors that claim more bytes than the file has")
        name, arguments = split_target(config["model"]["generator"])
        if not is_plain(list(arguments.values())):
            raise ValueError("its arguments are no plain values")
        generator = blank(name, arguments, len(tensors), trust, Generator)
        position = checkpoint.images_seen, checkpoint.scores
        counts, table = checkpoint.get("class_counts", ()), checkpoint.get("table", {})
        metadata = describe(config, generator, *position, counts, table)
        check_shapes(generator, {k: tuple(v.shape) for k, v in tensors.items()}, name)
        check_fit(generator, metadata)
        return fill(generator, tensors), metadata
    except (*UNREADABLE, LookupError, ArithmeticError, RuntimeError) as error:
        reason = printable(str(error.args[0] if error.args else error))[:500]
        raise UserError(f"{path} holds no generator of this project: {reason}") from error


def newest_generator(outputs: Path) -> Path:
    """Return the run folder whose generator file was written last; UserError if there is none."""
    files = list(outputs.glob(f"**/{GENERATOR_FILE}"))
    if not files:
        raise UserError(
            f"no {GENERATOR_FILE} below {outputs}/: train one with `python train.py`, "
            "or name one with generator=PATH"
        )
    return max(files, key=lambda file: file.stat().st_mtime).parent


def generator_of(run: Path) -> Path:
    """Return a run folder's best generator file; that of a run without scores is the latest."""
    return run / (BEST_FILE if (run / BEST_FILE).is_file() else GENERATOR_FILE)


def read_metadata(file: Path) -> GeneratorMetadata:
    """Return what a generator file of one's own run says of itself."""
    return checked(GeneratorMetadata(**read_fields(file, FORMAT_VERSION)[0]))


def read_generator(path: Path, trust: Trust = None) -> tuple[*Read, Path]:
    """Read a generator from a generator file, a run folder or a `.ckpt`.

    Of a run folder it is the best generator, of a run without scores the latest.

    `trust` has the dotted paths of classes that may be imported, if the file asks for one.

    Returns:
        (generator in eval mode on the CPU, metadata, the file that was read)

    Raises:
        UserError: nothing readable is there.
    """
    file = generator_of(path) if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"generator={path}: no such file" + (f" {file}" if path.is_dir() else ""))
    if file.suffix == ".onnx":
        raise UserError(
            f"generator={path}: only the page draws with an ONNX file, and the usage.py beside it: "
            f"name the {GENERATOR_FILE} of its folder"
        )
    read = generator_from_checkpoint if file.suffix == ".ckpt" else read_generator_file
    return *read(file, trust), file


def load_generator(path: str | Path, trust: Trust = None) -> Generator:
    """Return the generator that `read_generator` reads, with its `metadata`; see `sample`."""
    generator, metadata, _ = read_generator(Path(path), trust)
    generator.metadata = metadata
    return generator
