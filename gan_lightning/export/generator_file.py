"""Generator files, and reading generators from run folders and checkpoints.

A generator file is a safetensors file: the averaged generator's tensors and one JSON string of
metadata. The network is built from a closed list of class names with plain arguments; nothing
in a file is ever imported, unpickled or instantiated. A class from elsewhere is imported only if
the user names it too (`trust`).
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import (
    FORMAT_VERSION,
    GeneratorMetadata,
    checked,
    describe,
    is_plain,
    split_target,
)
from gan_lightning.export.rebuild import MAX_BYTES, blank, check_fit, check_shapes, fill
from gan_lightning.networks.base import Generator
from gan_lightning.system.checkpoint_file import read_checkpoint
from gan_lightning.system.files import atomic_write
from gan_lightning.system.untrusted import printable, strict_json, tensor_header

GENERATOR_FILE = "generator.safetensors"  # in a run folder: the latest
BEST_FILE = "best.safetensors"  # the one with the lowest FID so far, if the run is scored
Read = tuple[Generator, GeneratorMetadata]
_UNREADABLE = (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError)


def save_generator(path: Path, generator: Generator, metadata: GeneratorMetadata) -> None:
    """Write a generator file; a reader never sees half of it."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in generator.state_dict().items()}
    fields = dataclasses.asdict(metadata)
    if not metadata.table:  # older versions read files of images, and know of no tables
        del fields["table"]
    fields["sha256"] = content_hash(fields, tensors)
    text = json.dumps(fields, sort_keys=True)
    atomic_write(path, lambda file: save_file(tensors, file, metadata={"gan_lightning": text}))


def content_hash(fields: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 over the metadata (without the hash itself) and all tensors."""
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()


def _read_fields(path: Path) -> tuple[dict[str, Any], str]:
    """Return (the metadata's fields, the hash they name)."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 30} GiB")
    fields = strict_json(tensor_header(path).get("gan_lightning", "{}"))
    if not isinstance(fields, dict) or "format_version" not in fields:
        raise ValueError("it has no metadata")
    version = fields["format_version"]
    if type(version) is int and version > FORMAT_VERSION:
        raise UserError(f"{path}: made by a newer version of this project; upgrade to read")
    return fields, fields.pop("sha256")


def read_generator_file(path: Path, trust: str | None = None) -> Read:
    """Read a `generator.safetensors`; the tensors last, once they fit. UserError if it is none."""
    try:
        fields, expected = _read_fields(path)
        metadata = checked(GeneratorMetadata(**fields))
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            generator = _blank(path, metadata, shapes, trust)
            tensors = {name: file.get_tensor(name) for name in names}
        if content_hash(fields, tensors) != expected:
            raise UserError(f"{path} is corrupt or was changed (hash mismatch)")
        return fill(generator, tensors), metadata
    except _UNREADABLE as error:
        reason = printable(str(error))[:300]
        raise UserError(f"{path} is not a generator file of this project ({reason})") from error


def _blank(
    path: Path, metadata: GeneratorMetadata, shapes: dict[str, tuple[int, ...]], trust: str | None
) -> Generator:
    try:
        generator = blank(metadata.class_name, metadata.arguments, len(shapes), trust)
        check_shapes(generator, shapes, metadata.class_name)
        check_fit(generator, metadata)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = printable(str(error.args[0]))[:500]
        raise UserError(f"{path}: cannot build the generator: {reason}") from error
    return generator


def generator_from_checkpoint(path: Path, trust: str | None = None) -> Read:
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
        generator = blank(name, arguments, len(tensors), trust)
        position = checkpoint.images_seen, checkpoint.scores
        counts, table = checkpoint.get("class_counts", ()), checkpoint.get("table", {})
        metadata = describe(config, generator, *position, counts, table)
        check_shapes(generator, {k: tuple(v.shape) for k, v in tensors.items()}, name)
        check_fit(generator, metadata)
        return fill(generator, tensors), metadata
    except (*_UNREADABLE, LookupError, ArithmeticError, RuntimeError) as error:
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
    return checked(GeneratorMetadata(**_read_fields(file)[0]))


def read_generator(path: Path, trust: str | None = None) -> tuple[*Read, Path]:
    """Read a generator from a generator file, a run folder or a `.ckpt`.

    Of a run folder it is the best generator, of a run without scores the latest.

    `trust` is the dotted path of a class that may be imported, if the file asks for it.

    Returns:
        (generator in eval mode on the CPU, metadata, the file that was read)

    Raises:
        UserError: nothing readable is there.
    """
    file = generator_of(path) if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"generator={path}: no such file" + (f" {file}" if path.is_dir() else ""))
    read = generator_from_checkpoint if file.suffix == ".ckpt" else read_generator_file
    return *read(file, trust), file


def load_generator(path: str | Path, trust: str | None = None) -> Generator:
    """Return the generator that `read_generator` reads, with its `metadata`; see `sample`."""
    generator, metadata, _ = read_generator(Path(path), trust)
    generator.metadata = metadata
    return generator
