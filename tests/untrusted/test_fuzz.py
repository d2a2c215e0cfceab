"""A thousand damaged files, always the same ones: `UserError`, or a good answer; nothing else."""

import gzip
import io
import json
import math
import struct
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_lightning.data import ArrayDataModule, ImageDataModule
from gan_lightning.data.from_disk import count_labels
from gan_lightning.data.idx import check_idx, read_idx
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import read_images
from gan_lightning.export.generator_file import read_generator, read_metadata
from tests.untrusted import planted as p

FUZZ = {
    "derandomize": True,
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
REALS = ImageDataModule("reals")
BYTES = st.binary(max_size=64)
# Where, what instead, and how many bytes that takes the place of.
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.binary(max_size=8), st.integers(0, 12)), max_size=4
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def denormal_numbers() -> None:
    """Hypothesis wants them; a run that a test before this one let fail leaves them off."""
    torch.set_flush_denormal(False)


def changed(content: bytes, changes: list[tuple[float, bytes, int]]) -> bytes:
    for where, new, length in changes:
        start = int(where * len(content))
        content = content[:start] + new + content[start + length :]
    return content


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def whole_npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, images=np.arange(48, dtype=np.uint8).reshape(3, 1, 4, 4), labels=np.arange(3))
    return file.getvalue()


def answers(read: Any, *arguments: Any) -> bool:
    """Whether it was read; anything raised but `UserError` fails the test."""
    try:
        read(*arguments)
    except UserError:
        return False
    return True


def data_set(file: Path) -> None:
    """Read a file as `data=array` does: its labels when the configuration is made, then all."""
    count_labels(str(file))
    ArrayDataModule(str(file), name="array", batch_size=2).read()


@settings(max_examples=200, **FUZZ)
@given(changes=CHANGES, shape=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3))
def test_idx(path: Path, changes: list[Any], shape: list[int]) -> None:
    whole = struct.pack(">IIII", 2051, 2, 3, 4) + bytes(24)
    liar = struct.pack(f">I{len(shape)}I", 2048 + len(shape), *shape) + bytes(24)
    for content in (whole, liar):
        (path / "x-ubyte").write_bytes(changed(content, changes))
        answers(check_idx, path / "x-ubyte")
        answers(read_idx, path / "x-ubyte", 3)
        (path / "x.gz").write_bytes(changed(gzip.compress(content), changes))
        answers(read_idx, path / "x.gz", 3)
    for content, name in ((whole, "x-ubyte"), (gzip.compress(whole), "x.gz")):
        (path / name).write_bytes(content)
        assert answers(read_idx, path / name, 3)
    assert answers(check_idx, path / "x-ubyte")


@settings(max_examples=150, **FUZZ)
@given(changes=CHANGES)
def test_bytes_of_a_generator_file(path: Path, changes: list[Any]) -> None:
    content = p.generator_file(path / "good.safetensors").read_bytes()
    (path / "x.safetensors").write_bytes(changed(content, changes))
    read = answers(read_generator, path / "x.safetensors")
    assert read == (changed(content, changes) == content)


@settings(max_examples=120, **FUZZ)
@given(name=st.sampled_from(sorted(p.FIELDS)), value=PLAIN)
def test_fields_of_a_generator_file(path: Path, name: str, value: Any) -> None:
    fields = json.loads(json.dumps(p.FIELDS | {name: value}))
    file = p.generator_file(path / "x.safetensors", **fields)
    if answers(read_generator, file):
        assert getattr(read_metadata(file), name) == fields[name]


@settings(max_examples=120, **FUZZ)
@given(name=st.sampled_from(sorted(p.ARGUMENTS)), value=PLAIN | st.integers(-4, 2**40))
def test_arguments_of_a_generator_file(path: Path, name: str, value: Any) -> None:
    file = p.with_arguments(path / "x.safetensors", **{name: value})
    if answers(read_generator, file):
        assert read_metadata(file).arguments[name] == value


@settings(max_examples=120, **FUZZ)
@given(changes=CHANGES, inner=st.booleans())
def test_bytes_of_a_checkpoint(path: Path, changes: list[Any], inner: bool) -> None:
    """Of the file, or of the pickle within an otherwise whole file."""
    good = p.checkpoint(path / "good.ckpt")
    if inner:
        p.rewritten(good, path / "x.ckpt", "data.pkl", changed(p.record_of(good), changes))
    else:
        (path / "x.ckpt").write_bytes(changed(good.read_bytes(), changes))
    answers(read_generator, path / "x.ckpt")


@settings(max_examples=150, **FUZZ)
@given(changes=CHANGES, inner=st.booleans())
def test_npz(path: Path, changes: list[Any], inner: bool) -> None:
    """Bytes of the file, or of the array's header within an otherwise whole file."""
    content, file = whole_npz(), path / "x.npz"
    if inner:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                new.writestr(name, changed(old.read(name), changes))
    else:
        file.write_bytes(changed(content, changes))
    answers(read_images, file, 10, REALS)
    answers(data_set, file)
    file.write_bytes(content)
    assert answers(read_images, file, 10, REALS)
    assert answers(data_set, file)


@settings(max_examples=100, **FUZZ)
@given(
    shape=st.lists(st.integers(-1, 2**40), max_size=5),
    kind=st.sampled_from(["|u1", "<f4", "|O", "<M8[s]", "|V9", "<U3", ">i2"]),
    fortran=st.booleans(),
)
def test_lies_of_npz(path: Path, shape: list[int], kind: str, fortran: bool) -> None:
    header = {"descr": kind, "fortran_order": fortran, "shape": tuple(shape)}
    with zipfile.ZipFile(path / "x.npz", "w") as archive, archive.open("images.npy", "w") as file:
        np.lib.format.write_array_header_2_0(file, header)  # type: ignore[arg-type]
        file.write(bytes(64))
    for read, rows in ((partial(read_images, limit=1000, reals=REALS), 1000), (data_set, None)):
        if answers(read, path / "x.npz"):  # what it promises is there
            assert math.prod([*shape[:1][:rows], *shape[1:]]) * np.dtype(kind).itemsize <= 64
