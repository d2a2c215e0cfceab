"""A safetensors file of one network: its tensors, one JSON string of metadata, a hash over both."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.rebuild import MAX_BYTES
from gan_lightning.system.files import atomic_write
from gan_lightning.system.untrusted import printable, strict_json, tensor_header

KEY = "gan_lightning"  # of the JSON string
UNREADABLE = (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError)
Shapes = dict[str, tuple[int, ...]]


def write_tensor_file(path: Path, fields: dict[str, Any], state: dict[str, Tensor]) -> None:
    """Write fields and tensors; a reader never sees half of it."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    text = json.dumps(fields | {"sha256": content_hash(fields, tensors)}, sort_keys=True)
    atomic_write(path, lambda file: save_file(tensors, file, metadata={KEY: text}))


def content_hash(fields: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 over the metadata (without the hash itself) and all tensors."""
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()


def read_fields(path: Path, newest: int) -> tuple[dict[str, Any], str]:
    """Return (the metadata's fields, the hash they name); `newest` is the format known here."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 30} GiB")
    fields = strict_json(tensor_header(path).get(KEY, "{}"))
    if not isinstance(fields, dict) or "format_version" not in fields:
        raise ValueError("it has no metadata")
    version = fields["format_version"]
    if type(version) is int and version > newest:
        raise UserError(f"{path}: made by a newer version of this project; upgrade to read")
    return fields, fields.pop("sha256")


def read_tensors(
    path: Path, fields: dict[str, Any], expected: str, accept: Callable[[Shapes], None]
) -> dict[str, Tensor]:
    """Return the tensors, once `accept` has seen their shapes; UserError if the hash is another."""
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        accept({name: tuple(file.get_slice(name).get_shape()) for name in names})
        tensors = {name: file.get_tensor(name) for name in names}
    if content_hash(fields, tensors) != expected:
        raise UserError(f"{path} is corrupt or was changed (hash mismatch)")
    return tensors


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn what a damaged or strange file makes readers raise into a UserError."""
    try:
        yield
    except UNREADABLE as error:
        reason = printable(str(error))[:300]
        raise UserError(f"{path} is not a {kind} file of this project ({reason})") from error


@contextmanager
def building(path: Path, kind: str) -> Iterator[None]:
    """Turn a network that does not fit its file into a UserError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = printable(str(error.args[0]))[:500]
        raise UserError(f"{path}: cannot build the {kind}: {reason}") from error
