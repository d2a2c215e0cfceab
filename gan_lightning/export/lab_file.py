"""The lab's file: what one step of D and one of G did at some points of a training.

An NPZ of numbers, nothing pickled, below 1 MB. T points, each looked at three times: before the
step, after D's part of it, after G's.

| array | of | |
|---|---|---|
| `about` uint8 | both | JSON: `kind` points or images, title, data, answers, ... |
| `seen` int64[T] | both | images seen when the step began |
| `losses`, `means` float32[T, 3, 2] | both | losses of D and G; mean answers D(real), D(fake) |
| `field` uint8[T, S, S] | points | 255 D(x) in the square from -1 to 1 after D's part, y upward |
| `change` int8[T, C, C], `change_scale` | points | by how much D's part moved it |
| `fakes` int16[T, N, 2], `reals` int16[M, 2] | points | places times `UNIT`, before the step |
| `moves` int8[T, N, 2], `moves_scale` | points | by how much G's part moved them |
| `pulls` int8[T, N, 2], `pulls_scale` | points | minus the gradient of G's loss at the fakes |
| `answers` uint8[T, 3, N + M] | images | 255 D(x) of the fakes, then of the reals |
| `pictures` uint8, `ends` int64[T + 1] | images | a WebP each, of the reals, then of the fakes |

A `_scale` float32[T] times the whole number over 127 is the value.
"""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from gan_lightning.errors import UserError
from gan_lightning.system.files import atomic_write
from gan_lightning.system.untrusted import printable, strict_json

LAB_FILE = "lab.npz"  # in a run folder
VERSION = 1
UNIT = 16384  # int16 steps of a place: 2 is the largest
MAX_BYTES, MAX_UNPACKED = 4 << 20, 32 << 20
MAX_POINTS, MAX_SHOWN = 1000, 4096
Arrays = dict[str, np.ndarray]
_KINDS = {
    "points": {
        **{"field": ("|u1", 3), "change": ("|i1", 3), "change_scale": ("<f4", 1)},
        **{"fakes": ("<i2", 3), "reals": ("<i2", 2), "moves": ("|i1", 3)},
        **{"moves_scale": ("<f4", 1), "pulls": ("|i1", 3), "pulls_scale": ("<f4", 1)},
    },
    "images": {"answers": ("|u1", 3), "pictures": ("|u1", 1), "ends": ("<i8", 1)},
}
_BOTH = {"seen": ("<i8", 1), "losses": ("<f4", 3), "means": ("<f4", 3)}
_UNREADABLE = (
    *(OSError, KeyError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error),
    *(NotImplementedError, RuntimeError, MemoryError),
)


def scaled(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values as int8, and what 127 stands for: the largest of them."""
    most = max(float(np.abs(values).max(initial=0.0)), 1e-12)
    return np.round(values / most * 127).astype(np.int8), np.array(most, np.float32)


def save_lab(path: Path, about: dict[str, Any], arrays: Arrays) -> None:
    """Write a recording; a reader never sees half of it."""
    text = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
    everything: dict[str, Any] = {"about": text, **arrays}

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # a name would be given the suffix .npz
            np.savez_compressed(file, **everything)

    atomic_write(path, write)


def read_lab(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Return (about, arrays) of a recording; UserError if the file is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
                raise ValueError(f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")
        with np.load(path, allow_pickle=False) as file:
            about = strict_json(file["about"].tobytes().decode())
            if not isinstance(about, dict) or about.get("version") != VERSION:
                raise ValueError("it is of another version")
            wanted = _BOTH | _KINDS[about["kind"]]
            arrays = {name: file[name] for name in wanted}
        for name, (kind, dimensions) in wanted.items():
            if (arrays[name].dtype.str, arrays[name].ndim) != (kind, dimensions):
                raise ValueError(f"{name} is {arrays[name].dtype} {list(arrays[name].shape)}")
        _check_shapes(about, arrays)
        return about, arrays
    except _UNREADABLE as error:
        reason = printable(str(error))[:200]
        raise UserError(f"{path} is not a recording of callbacks=lab ({reason})") from error


def _check_shapes(about: dict[str, Any], arrays: Arrays) -> None:
    """Raise ValueError if arrays do not fit to each other."""
    t = len(arrays["seen"])
    per_point = [name for name in arrays if name not in ("reals", "pictures", "ends")]
    good = 0 < t <= MAX_POINTS and all(len(arrays[name]) == t for name in per_point)
    good = good and all(arrays[n].shape == (t, 3, 2) for n in ("losses", "means"))
    if about["kind"] == "points":
        good = good and all(a.shape[1] <= MAX_SHOWN for a in arrays.values() if a.ndim > 1)
        same = {arrays[n].shape for n in ("fakes", "moves", "pulls")}
        square = all(arrays[n].shape[1] == arrays[n].shape[2] > 1 for n in ("field", "change"))
        good = good and len(same) == 1 and arrays["reals"].shape[1] == 2 and square
    else:
        sizes = [about.get(key) for key in ("columns", "side", "fakes")]
        whole = all(type(n) is int and 0 < n <= MAX_SHOWN for n in sizes)
        ends = arrays["ends"]
        good = good and whole and len(ends) == t + 1 and bool((np.diff(ends) > 0).all())
        good = good and ends[0] > 0 and ends[-1] == len(arrays["pictures"])
        good = good and about["fakes"] < arrays["answers"].shape[2] <= MAX_SHOWN
        good = good and arrays["answers"].shape[1] == 3
    if not good or not isinstance(about.get("title"), str):
        raise ValueError("its arrays do not fit together")
