"""IDX files, the format of MNIST: reading them with suspicion, fetching them with patience.

torchvision takes any file of the right name for the set, checks the compressed file alone, writes
downloads under their final name and gives up at a reset connection. Its lists of files, mirrors
and MD5 sums are used here, and its `download_url`.

Source: LeCun's description of the format, with the MNIST files.
"""

import gzip
import hashlib
import math
import os
import shutil
import socket
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

import torch
from torch import Tensor
from torchvision.datasets.utils import calculate_md5, download_url

from gan_lightning.errors import UserError

ATTEMPTS, TIMEOUT = 2, 30.0  # seconds without a byte
_UINT8 = 8  # the type code

# SHA-256 of the unpacked files. Only of sets that were at hand to compute it from.
KNOWN = {
    "MNIST": {
        "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
}


class CorruptFile(UserError):
    """A data file that is there, but is not what its name says."""


def idx_shape(path: Path) -> tuple[int, ...]:
    """Return the shape that an IDX file of bytes says and has; nothing is read but the header.

    Raises:
        CorruptFile: it is none, or is longer or shorter than it says.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            zeros, kind, dims = struct.unpack(">HBB", start) if len(start) == 4 else (1, 0, 0)
            header = file.read(4 * dims)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise CorruptFile(f"corrupt IDX file: {path}: {error.strerror}") from error
    if zeros or kind != _UINT8 or dims not in (1, 3) or len(header) < 4 * dims:
        raise CorruptFile(f"corrupt IDX file: {path}: no header of images or labels")
    shape = struct.unpack(f">{dims}I", header)
    if size != 4 + 4 * dims + math.prod(shape):
        found = f"{size:,} bytes, where {list(shape)} need {4 + 4 * dims + math.prod(shape):,}"
        raise CorruptFile(f"corrupt IDX file: {path}: {found}")
    return shape


def read_idx(path: Path) -> Tensor:
    """Return the images uint8[N, H, W] or labels uint8[N] of an IDX file.

    Raises:
        CorruptFile: see `idx_shape`.
    """
    shape = idx_shape(path)
    with path.open("rb") as file:
        file.seek(4 + 4 * len(shape))
        content = bytearray(file.read(math.prod(shape)))
    if len(content) != math.prod(shape):
        raise CorruptFile(f"corrupt IDX file: {path}: it changed while it was read")
    if not content:  # `frombuffer` takes nothing for a mistake
        return torch.empty(shape, dtype=torch.uint8)
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)


def unlike_known(folder: Path, name: str) -> bool:
    """Whether a file of a well-known set has another content than everybody's."""
    expected = KNOWN.get(folder.parent.name, {}).get(name.partition("-idx")[0])
    if expected is None:
        return False
    with (folder / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() != expected


def ensure(folder: Path, packed: str, md5: str, mirrors: Sequence[str]) -> None:
    """Have an unpacked, whole file in `folder`: as it is, from its .gz, or from a mirror.

    A folder that holds the file is not written to.

    Args:
        folder: of the raw files.
        packed: name of the compressed file; without `.gz` it is the file's.
        md5: of the compressed file.
        mirrors: beginnings of URLs, tried in turn.

    Raises:
        CorruptFile: the file is damaged, and its whole .gz is not there.
        OSError: it is not there and cannot be fetched; says why, mirror by mirror.
    """
    archive, file = folder / packed, folder / packed.removesuffix(".gz")
    damage: CorruptFile | None = None
    if file.exists():
        try:
            idx_shape(file)
            return
        except CorruptFile as error:  # killed while unpacking, most likely
            damage = error
    if not (archive.is_file() and calculate_md5(archive) == md5):
        if damage:
            raise CorruptFile(f"{damage}; delete it to fetch it again") from damage
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            fetch(archive, md5, mirrors)
        except BaseException:
            with suppress(OSError):  # something is in it
                for path in new:
                    path.rmdir()
            raise
    unpack(archive, file)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder for unfinished files on the same disk; goes, whatever happens in it."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as temporary:
        yield Path(temporary)


def fetch(archive: Path, md5: str, mirrors: Sequence[str]) -> None:
    """Download a file under a temporary name, look at its MD5, then give it its own.

    A mirror that cannot be reached is left for the next; one whose connection broke, or whose
    file is not the right one, is tried once more after the others.

    Raises:
        OSError: no mirror gave it; the message has each one's reason.
    """
    reasons: dict[str, str] = {}
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # urllib waits for ever
    try:
        for mirror in [m for _ in range(ATTEMPTS) for m in mirrors]:
            if reasons.get(mirror, "").startswith("unreachable"):
                continue
            with _beside(archive.parent) as folder:
                try:
                    download_url(mirror + archive.name, str(folder), archive.name, md5)
                    os.replace(folder / archive.name, archive)
                    return
                except (HTTPError, URLError) as error:
                    reasons[mirror] = f"unreachable: {error}"
                except (OSError, RuntimeError, HTTPException, ValueError) as error:
                    reasons[mirror] = str(error) or type(error).__name__
    finally:
        socket.setdefaulttimeout(before)
    raise OSError("; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items()))


def unpack(archive: Path, file: Path) -> None:
    """Unpack a .gz under a temporary name; a kill at any moment leaves no half file.

    Raises:
        CorruptFile: what is in it is no IDX file.
    """
    with _beside(file.parent) as folder:
        try:
            with gzip.open(archive) as packed, (folder / file.name).open("wb") as target:
                shutil.copyfileobj(packed, target)
                target.flush()
                os.fsync(target.fileno())
            idx_shape(folder / file.name)
        except (EOFError, zlib.error, gzip.BadGzipFile, CorruptFile) as error:
            raise CorruptFile(f"corrupt archive: {archive}: delete it to fetch it again") from error
        os.replace(folder / file.name, file)
