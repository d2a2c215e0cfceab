"""A folder ready to publish: program, weights, model card, picture and a script that draws."""

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from gan_lightning.errors import UserError
from gan_lightning.export import program
from gan_lightning.export.card import Export, card
from gan_lightning.export.generator_file import (
    GENERATOR_FILE,
    newest_generator,
    read_generator,
    save_generator,
)
from gan_lightning.export.metadata import GeneratorMetadata, asked_labels
from gan_lightning.export.onnx_file import ONNX_FILE, open_onnx
from gan_lightning.export.rebuild import Trust
from gan_lightning.export.recorded import recorded, run_of
from gan_lightning.export.usage import usage
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.draw import sample_chunks
from gan_lightning.sampling.place import free_path, is_point
from gan_lightning.sampling.write import write_samples
from gan_lightning.system.files import sha256

PROGRAMS = {"onnx": ONNX_FILE, "torch": "generator.pt2"}  # of each format
CARD, USAGE, PICTURE = "README.md", "usage.py", "samples.png"
IMAGES, DOTS = 100, 2000  # in the picture


@dataclass(frozen=True)
class Asked:
    """The arguments of one call; docs/export.md explains them."""

    generator: str | None = None
    format: str = "onnx"
    output: str | None = None
    truncation: float | None = None
    trust: Trust = None
    overwrite: bool = False


def export(asked: Asked, say: Callable[[str], None] = print) -> Path:
    """Write the folder, compare what it holds with torch, and return its path.

    It is made under another name beside its place, and compared there: what is there already
    stays as it is until all is well.

    Raises:
        UserError: the format or generator is none, the folder is taken, a library is missing, or
            the generator cannot be exported.
    """
    if asked.format not in PROGRAMS:
        raise UserError(f"format={asked.format}: choose one of {', '.join(PROGRAMS)}")
    if asked.format == "onnx":
        program.require_onnx()
    path = Path(asked.generator) if asked.generator else newest_generator(Path("outputs"))
    generator, metadata, file = read_generator(path, asked.trust)
    output = _place(asked, file)
    weights = _copy_of_weights(generator, metadata, file)  # before a truncation
    if asked.truncation is not None:
        generator.truncate(asked.truncation)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise UserError(f"output={output} cannot be made: {error.strerror}") from error
    try:
        weights(temporary / GENERATOR_FILE)
        say(f"{file} ({metadata.dataset}; {metadata.standing})")
        _fill(temporary, generator, metadata, asked, file, say)
        _move(temporary, output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sizes = ", ".join(f"{f.name} {_size(f)}" for f in sorted(output.iterdir()) if f.name in NAMES)
    say(f"{sizes} -> {output}/")
    return output


NAMES = {*PROGRAMS.values(), GENERATOR_FILE, CARD, USAGE, PICTURE}  # all that is ever written


def _place(asked: Asked, file: Path) -> Path:
    """Return the folder to write; UserError if something is there and may not be replaced."""
    if not asked.output:
        name = run_of(file).resolve().name
        return free_path(Path("exports") / f"{name}-{asked.format}")
    output = Path(asked.output)
    if os.path.lexists(output) and not output.is_dir():
        raise UserError(f"output={output} is no folder: choose another")
    if output.resolve() == file.resolve().parent:
        raise UserError(f"output={output} is where the generator is: choose another folder")
    if (output / "config.yaml").exists():
        raise UserError(f"output={output} is a run's folder: choose another")
    if output.is_dir() and any(output.iterdir()) and not asked.overwrite:
        raise UserError(f"output={output} exists: choose another, or set overwrite=true")
    return output


def _copy_of_weights(
    generator: Generator, metadata: GeneratorMetadata, file: Path
) -> Callable[[Path], object]:
    """Return what writes the generator file: a checkpoint's is made, any other is copied."""
    if file.suffix == ".ckpt":
        return lambda path: save_generator(path, generator, metadata)
    return lambda path: shutil.copyfile(file, path)


def _fill(
    folder: Path,
    generator: Generator,
    metadata: GeneratorMetadata,
    asked: Asked,
    file: Path,
    say: Callable[[str], None],
) -> None:
    about = dataclasses.asdict(metadata) | {"truncation": asked.truncation}
    target = folder / PROGRAMS[asked.format]
    start = time.perf_counter()
    if asked.format == "onnx":
        program.write_onnx(target, generator, about | {"opset": program.OPSET})
        say(f"format=onnx, opset {program.OPSET}, {time.perf_counter() - start:.1f} s")
        draw, _ = open_onnx(target)
    else:
        program.write_program(target, generator, about)
        say(f"format=torch, torch {torch.__version__}, {time.perf_counter() - start:.1f} s")
        draw = program.open_program(target)
    found = program.compare(draw, generator, metadata.labels)
    say(str(program.checked(found, type(generator).__name__)))

    labels, counts = asked_labels(metadata)
    shown = DOTS if is_point(tuple(metadata.image_shape)) else IMAGES
    chunks = sample_chunks(generator, shown, 0, labels, counts)
    write_samples(folder / PICTURE, chunks, shown)
    script = usage(metadata, asked.format)
    (folder / USAGE).write_text(script, encoding="utf-8")
    parameters = sum(p.numel() for p in generator.parameters())
    parameters = parameters or sum(b.numel() for b in generator.buffers())  # a density has these
    export = Export(asked.format, parameters, torch.__version__, script, shown, asked.truncation)
    run = recorded(file, sha256(file), metadata)
    (folder / CARD).write_text(card(metadata, run, export), encoding="utf-8")


def _move(temporary: Path, output: Path) -> None:
    """Put the files in place; others in the folder stay, but for another format's program."""
    temporary.chmod(0o777 & ~_umask())  # mkdtemp makes a private one
    if not output.is_dir():
        temporary.rename(output)
        return
    new = {path.name for path in temporary.iterdir()}
    for name in new:
        os.replace(temporary / name, output / name)
    for name in set(PROGRAMS.values()) - new:
        (output / name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
