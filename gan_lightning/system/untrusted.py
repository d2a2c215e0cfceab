"""Reading untrusted files: every size is bounded, and nothing in them is executed.

These are checks before the real reader, for what the readers' authors leave to their callers:
how large a header may be, that a compressed record does not unpack to a disk's worth, that a
pickle names nothing but tensors and plain containers.
"""

import io
import json
import math
import os
import pickle
import pickletools
import re
import stat
import struct
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from gan_lightning.system.portable import open_at_once

MAX_JSON = 1 << 20  # bytes
MAX_PICKLE = 1 << 24  # bytes; a checkpoint of 100 tensors has 20 kB
_SHARED_TUPLES = 32  # a tuple of a tuple twice, and so on, takes 2^n steps to look at

_TYPES = {"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2}
_TYPES |= {"Char": 1, "Byte": 1, "Bool": 1}
_STORAGES = {f"torch {name}Storage": size for name, size in _TYPES.items()}
_GLOBALS = {"collections OrderedDict", "builtins set", "__builtin__ set", "torch Size"}
_GLOBALS |= {"torch device", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"}


@cache
def _names() -> set[str]:
    """Return all that a pickle of tensors may name."""
    import torch  # takes seconds, and not every reader of this module has a pickle

    dtypes = {f"torch {name}" for name, kind in vars(torch).items() if type(kind) is torch.dtype}
    return _GLOBALS | _STORAGES.keys() | dtypes


def printable(text: str) -> str:
    """Return a text without escape codes and line breaks, as a terminal may safely be shown it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def words(value: Any, limit: int = 2000) -> str:
    """Return a text or number of a record as one line; "" of anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return printable(str(value))[:limit]


def strict_json(text: str | bytes) -> Any:
    """Parse JSON; ValueError if it has NaN, infinity or a key twice, or is nested too deep."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key stands there twice")
        return found

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number")

    def number(word: str) -> float:
        return value if math.isfinite(value := float(word)) else refuse(word[:20])

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_float=number)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read_small(path: Path, limit: int = MAX_JSON, follow: bool = True) -> bytes:
    """Return the content of a regular file of no more than `limit` bytes.

    Raises:
        ValueError: it is larger, or a pipe, device or (without `follow`) a link: reading these may
            take for ever or lead elsewhere.
    """
    # Opened without waiting for a pipe's other end, then looked at: nobody can swap it between.
    descriptor = open_at_once(path, follow)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise ValueError(f"no regular file of at most {limit:,} bytes")
        return file.read(limit + 1)


def tensor_header(path: Path) -> dict[str, str]:
    """Return the metadata strings of a safetensors file.

    Raises:
        ValueError: the header is too long, no JSON, or says a name twice.
    """
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= MAX_JSON:
            raise ValueError(f"no safetensors header of at most {MAX_JSON:,} bytes")
        header = strict_json(file.read(length))
    texts = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("no safetensors header")
    return texts


def check_archive(path: Path) -> None:
    """Look through a file that `torch.load` is to read with `weights_only=True`.

    That flag keeps code from running. What it leaves: compressed records, unpacked to any size,
    and `bytearray(10**12)` among the allowed calls. Storages that claim more bytes than their
    record has are refused here too; torch 2.15 looks at that itself.

    Raises:
        ValueError: anything but plain containers and tensors that are wholly there.
    """
    with zipfile.ZipFile(path) as archive:
        records = {info.filename: info for info in archive.infolist()}
        sizes = sum(info.file_size for info in records.values())
        if archive.comment or len(records) < len(archive.infolist()):
            raise ValueError("a zip file that can be read in two ways")
        if any(info.compress_type != zipfile.ZIP_STORED for info in records.values()):
            raise ValueError("compressed records")
        if sizes > path.stat().st_size or len({n.partition("/")[0] for n in records}) != 1:
            raise ValueError("records that are no part of the file")
        folder = next(iter(records)).partition("/")[0]
        info = records.get(f"{folder}/data.pkl")
        if info is None or info.file_size > MAX_PICKLE:
            raise ValueError("no pickle of tensors")
        check_pickle(
            archive.read(info),
            {name.removeprefix(f"{folder}/data/"): r.file_size for name, r in records.items()},
        )


def check_pickle(content: bytes, records: dict[str, int]) -> None:
    """Raise ValueError if a pickle has anything but tensors of these storages, key: bytes."""
    tuples: set[int] = set()
    before, shared = "", 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        name, slot = opcode.name, argument if type(argument) is int else 0
        if name == "GLOBAL" and argument not in _names():
            raise ValueError(f"it asks for {printable(str(argument)[:100])}")
        if name in _FORBIDDEN or ("PUT" in name and slot > count):
            raise ValueError(f"a pickle with {name}")
        if "PUT" in name and before.startswith("TUPLE"):
            tuples.add(slot)
        shared += "GET" in name and slot in tuples
        if shared > _SHARED_TUPLES:
            raise ValueError("tuples of tuples")
        before = name
    try:
        _DryRun(content, records).load()
    except RecursionError as error:
        raise ValueError("nested too deep") from error


# Other ways to name, call or reach something than those that torch.save uses.
_FORBIDDEN = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}
_FORBIDDEN |= {"PERSID", "NEXT_BUFFER", "READONLY_BUFFER", "MEMOIZE", "PUT", "GET", "DUP"}


class _Nothing:
    """Stands for whatever the pickle would make; takes every call and every state."""

    def __call__(self, *_: Any) -> "_Nothing":
        return _Nothing()

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def add(self, _: Any) -> None:
        pass


class _DryRun(pickle.Unpickler):
    """Goes through the motions, to see which storages are asked for; makes nothing."""

    def __init__(self, content: bytes, records: dict[str, int]) -> None:
        super().__init__(io.BytesIO(content))
        self.records = records

    def find_class(self, module: str, name: str) -> Any:
        return _STORAGES.get(f"{module} {name}", _Nothing())

    def persistent_load(self, claim: Any) -> _Nothing:
        kind, size, key, _, count = claim
        good = kind == "storage" and type(count) is int and type(size) is int and count >= 0
        if not good or not re.fullmatch(r"\d+", key) or self.records.get(key) != size * count:
            raise ValueError("a tensor that claims other bytes than it has")
        return _Nothing()
