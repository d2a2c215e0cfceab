"""Files that a stranger might send: each returns the path that it wrote."""

import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.export.tensor_file import content_hash
from gan_lightning.networks import MLPGenerator

ARGUMENTS = {"latent_dim": 4, "image_shape": [1, 4, 4], "num_classes": 0, "hidden": [8]}
FIELDS = {
    "class_name": "MLPGenerator",
    "arguments": ARGUMENTS,
    "latent_dim": 4,
    "image_shape": [1, 4, 4],
    "num_classes": 0,
    "classes": [0, 1],
    "dataset": "test",
    "images_seen": 64,
    "scores": {},
    "format_version": 1,
}
ESCAPE = "\x1b[2J"


class Touch:
    """Unpickled, it touches a file: the mark that code was run."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return MLPGenerator(**ARGUMENTS).state_dict()


def generator_file(path: Path, state: dict[str, Tensor] | None = None, **changes: Any) -> Path:
    """A generator file with a hash that is right, and some fields that are not."""
    fields, state = FIELDS | changes, tensors() if state is None else state
    text = json.dumps(fields | {"sha256": content_hash(fields, state)}, sort_keys=True)
    save_file(state, path, metadata={"gan_lightning": text})
    return path


def with_arguments(path: Path, **changes: Any) -> Path:
    """A generator file whose constructor arguments are changed, told alike in the fields."""
    told = {k: v for k, v in changes.items() if k in FIELDS}
    return generator_file(path, arguments=ARGUMENTS | changes, **told)


def with_text(path: Path, text: str) -> Path:
    """A generator file with this text as its metadata."""
    save_file(tensors(), path, metadata={"gan_lightning": text})
    return path


def raw_file(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    """A safetensors file with this header (JSON or bytes), which says to be of this length."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content) if length is None else length) + content + data)
    return path


def pickled(path: Path, mark: Path) -> Path:
    path.write_bytes(pickle.dumps(Touch(mark)))
    return path


def torch_pickled(path: Path, mark: Path) -> Path:
    torch.save({"config": {}, "state_dict": {}, "x": Touch(mark)}, path)
    return path


def content(**changes: Any) -> dict[str, Any]:
    """What a checkpoint of this project holds, as far as a generator is read from it."""
    node = {"_target_": "gan_lightning.networks.MLPGenerator", **ARGUMENTS} | changes
    state: dict[str, Any] = {f"average.module.{k}": v for k, v in tensors().items()}
    state["_extra_state"] = {"images_seen": 64, "scores": {}}
    data = {"name": "test", "classes": None, "num_classes": 10}
    return {"config": {"model": {"generator": node}, "data": data}, "state_dict": state}


def checkpoint(path: Path, **changes: Any) -> Path:
    """A checkpoint whose generator's node in the config is changed."""
    torch.save(content(**changes), path)
    return path


def saved_node(path: Path, node: dict[str, Any]) -> Path:
    """A checkpoint with this node for its generator."""
    whole = content()
    whole["config"]["model"]["generator"] = node
    torch.save(whole, path)
    return path


def rewritten(source: Path, path: Path, record: str, new: bytes) -> Path:
    """Copy a checkpoint with the content of one record replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as target:
        for info in old.infolist():
            this = info.filename.partition("/")[2] == record
            target.writestr(info.filename, new if this else old.read(info))
    return path


def record_of(source: Path, record: str = "data.pkl") -> bytes:
    with zipfile.ZipFile(source) as file:
        (name,) = (n for n in file.namelist() if n.partition("/")[2] == record)
        return file.read(name)


def number(value: int) -> bytes:
    """As it stands in a pickle."""
    return pickle.dumps(value, protocol=2)[2:-1]


def zip_bomb(path: Path, size: int) -> Path:
    """A checkpoint with a tensor of `size` zeros, deflated: a thousandth of that on disk."""
    torch.save({"config": {}, "state_dict": {}, "zeros": torch.zeros(8)}, path.with_suffix(".tmp"))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = 1 << 24
    piece = deflate.compress(bytes(block)) + deflate.flush(zlib.Z_FULL_FLUSH)
    end = deflate.flush()
    stream = piece * (size // block) + end
    with zipfile.ZipFile(path.with_suffix(".tmp")) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            name, data = info.filename, old.read(info)
            if name.endswith("/data.pkl"):
                data = data.replace(b"K\x08t", number(size // 4) + b"t")
            new.writestr(name, stream if name.endswith("data/0") else data)
            if name.endswith("data/0"):  # what the central directory will say of it
                new.filelist[-1].compress_type = zipfile.ZIP_DEFLATED
                new.filelist[-1].file_size = size // block * block
                checksum = 0
                for _ in range(size // block if size < 1 << 30 else 0):
                    checksum = zlib.crc32(bytes(block), checksum)
                new.filelist[-1].CRC = checksum
    path.with_suffix(".tmp").unlink()
    return path


def claims_more(path: Path, count: int = 2**30) -> Path:
    """A checkpoint with a tensor that claims `count` numbers and has eight."""
    whole = path.with_suffix(".whole")
    torch.save({"config": {}, "state_dict": {}, "x": torch.arange(8.0)}, whole)
    claim = record_of(whole).replace(b"K\x08t", number(count) + b"t")
    assert claim != record_of(whole)
    return rewritten(whole, path, "data.pkl", claim)


def calls(path: Path, module: str, name: str, argument: Any) -> Path:
    """A checkpoint whose pickle calls module.name(argument)."""
    whole = path.with_suffix(".whole")
    torch.save({"config": {}, "state_dict": {}}, whole)
    value = pickle.dumps(argument, protocol=2)[2:-1]
    call = b"c" + f"{module}\n{name}\n".encode() + value + b"\x85R"
    return rewritten(whole, path, "data.pkl", b"\x80\x02" + call + b".")


def tuples_of_tuples(path: Path, depth: int = 60) -> Path:
    """A checkpoint whose pickle has a key that takes 2^depth steps to hash."""
    whole = path.with_suffix(".whole")
    torch.save({"config": {}, "state_dict": {}}, whole)
    steps = b"".join(b"h%c" % i * 2 + b"\x86q%c" % (i + 1) + b"0" for i in range(depth))
    key = b"K\x01\x85q\x000" + steps
    return rewritten(whole, path, "data.pkl", b"\x80\x02" + key + b"}h%cK\x01s." % depth)
