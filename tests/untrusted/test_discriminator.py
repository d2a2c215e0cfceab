"""A discriminator's file is as safe to read as a generator's: the same kinds of planted files."""

import json
import resource
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import CENTRES, read_judge_file
from gan_lightning.export.tensor_file import content_hash
from gan_lightning.networks import MLPDiscriminator
from tests.untrusted import planted as p

pytestmark = pytest.mark.fault(43)
ARGUMENTS = {"image_shape": [1, 4, 4], "num_classes": 3, "hidden": [8]}
FIELDS = {
    "class_name": "MLPDiscriminator",
    "arguments": ARGUMENTS,
    "image_shape": [1, 4, 4],
    "num_classes": 3,
    "classes": [0, 1, 2],
    "dataset": "test",
    "images_seen": 64,
    "trained_on": 0,
    "calibration": {},
    "kind": "discriminator",
    "format_version": 1,
}
CALIBRATION = {"scale": 1.0, "offset": 0.0, "fakes_of": "x"}
OWN = "tests.untrusted.own.OwnGenerator"
MOST_KB, MOST_SECONDS = 200 << 10, 10.0


def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return dict(MLPDiscriminator(**ARGUMENTS).state_dict())


def written(path: Path, state: dict[str, Tensor] | None = None, **changes: Any) -> Path:
    """Write a file with a hash that is right, and some fields that are not."""
    fields, state = FIELDS | changes, tensors() if state is None else state
    text = json.dumps(fields | {"sha256": content_hash(fields, state)}, sort_keys=True)
    save_file(state, path, metadata={"gan_lightning": text})
    return path


def fields(**changes: Any) -> Callable[[Path], Path]:
    return lambda path: written(path, **changes)


def arguments(**changes: Any) -> Callable[[Path], Path]:
    told = {k: v for k, v in changes.items() if k in FIELDS}
    return lambda path: written(path, arguments=ARGUMENTS | changes, **told)


def weights(**more: Tensor) -> Callable[[Path], Path]:
    return lambda path: written(path, tensors() | more)


def changed(path: Path) -> Path:
    """One bit of a weight is another."""
    written(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path


def text(path: Path) -> Path:
    save_file(tensors(), path, metadata={"gan_lightning": '{"format_version": 1, "a": NaN}'})
    return path


def long_header(path: Path) -> Path:
    path.write_bytes(struct.pack("<Q", 1 << 40))
    return path


PLANTED: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "pickle": ("is not a discriminator file", lambda f: p.pickled(f, f.parent / "mark")),
    "torch pickle": ("is not a disc", lambda f: p.torch_pickled(f, f.parent / "mark")),
    "a generator's": ("is not a disc", lambda f: p.generator_file(f)),
    "a generator's class": ("unknown discriminator class", fields(class_name="MLPGenerator")),
    "the base": ("unknown discriminator class", fields(class_name="Discriminator")),
    "a path": ("if you trust", fields(class_name="os.system")),
    "a class of one's own": ("if you trust", fields(class_name=OWN)),
    "a node": ("impossible of arguments", arguments(hidden=[{"_target_": "os.system"}])),
    "an escape code": ("impossible of dataset", fields(dataset=p.ESCAPE)),
    "a path as data": ("impossible of dataset", fields(dataset="../x")),
    "many labels": ("impossible of num_classes", fields(num_classes=10**9)),
    "a label beyond": ("impossible of classes", fields(classes=[5])),
    "a large image": ("impossible of image_shape", fields(image_shape=[1, 10**6, 10**6])),
    "another shape": ("not the network's", fields(image_shape=[1, 8, 8])),
    "a wide layer": ("does not fit", arguments(hidden=[10**9])),
    "many layers": ("more layers than", arguments(hidden=[8] * 900)),
    "an unknown argument": ("cannot build", arguments(nonsense=1)),
    "a tensor too many": ("does not fit", weights(more=torch.zeros(1))),
    "another type": (
        "float64",
        lambda f: written(f, {k: v.double() for k, v in tensors().items()}),
    ),
    "centres": ("does not fit", weights(**{CENTRES: torch.zeros(3, 7)})),
    "a calibration": ("impossible of calib", fields(calibration=CALIBRATION | {"scale": "1"})),
    "half a calibration": ("impossible of calib", fields(calibration={"scale": 1.0})),
    "a huge calibration": (
        "impossible of calib",
        fields(calibration=CALIBRATION | {"scale": 1e308}),
    ),
    "a label twice": ("impossible of classes", fields(classes=[1, 1])),
    "half centres": ("is torch.float16", weights(**{CENTRES: torch.zeros(3, 16).half()})),
    "endless centres": ("not finite", weights(**{CENTRES: torch.full((3, 16), torch.nan)})),
    "another kind": ("impossible of kind", fields(kind="generator")),
    "a newer format": ("made by a newer version", fields(format_version=99)),
    "no number": ("is no number", text),
    "changed": ("hash mismatch", changed),
    "a long header": ("no safetensors header", long_header),
}


@pytest.mark.parametrize("name", PLANTED)
def test_refused(name: str, tmp_path: Path) -> None:
    words, make = PLANTED[name]
    path = make(tmp_path / "discriminator.safetensors")
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(UserError) as error:
        read_judge_file(path)
    said = str(error.value)
    assert words in said
    assert str(path) in said
    assert said.isprintable()
    assert len(said) < 1500
    assert time.perf_counter() - start < MOST_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KB
    assert not (tmp_path / "mark").exists()


def test_the_files_are_good_but_for_what_is_planted(tmp_path: Path) -> None:
    judge = read_judge_file(written(tmp_path / "x.safetensors", calibration=CALIBRATION))
    assert judge.p_fake(torch.zeros(2, 1, 4, 4)).shape == (2,)
    centres = {CENTRES: torch.zeros(3, 16)}
    assert (
        read_judge_file(written(tmp_path / "y.safetensors", tensors() | centres)).centres
        is not None
    )
