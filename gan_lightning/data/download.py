"""Downloading MNIST: retries, checksums, no half-written files."""

import gzip
import os
import shutil
import socket
import zlib
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError, URLError

from torchvision.datasets.utils import calculate_md5, download_url

from gan_lightning.data.idx import CorruptFile, check_idx

ATTEMPTS, TIMEOUT = 2, 30.0  # seconds without a byte
UNFINISHED = ".unfinished-"  # how names of temporary folders begin, on the file's own disk


def ensure(folder: Path, packed: str, md5: str, mirrors: Sequence[str]) -> None:
    """Make sure that a folder holds the whole unpacked file: from its .gz, or from a mirror.

    A folder that holds the file is not written to. `packed` and `md5` are of the compressed file;
    mirrors are beginnings of URLs, tried in turn.

    Raises:
        CorruptFile: the file is damaged, and its whole .gz is not there.
        OSError: it is not there and cannot be fetched; says why, mirror by mirror.
    """
    archive, file = folder / packed, folder / packed.removesuffix(".gz")
    damage: CorruptFile | None = None
    if file.exists():
        try:
            check_idx(file)
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
            with TemporaryDirectory(dir=archive.parent, prefix=UNFINISHED) as folder:
                try:
                    download_url(mirror + archive.name, folder, archive.name, md5)
                    os.replace(Path(folder) / archive.name, archive)
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
        CorruptFile: its content is not an IDX file.
    """
    with TemporaryDirectory(dir=file.parent, prefix=UNFINISHED) as folder:
        unpacked = Path(folder) / file.name
        try:
            with gzip.open(archive) as packed, unpacked.open("wb") as target:
                shutil.copyfileobj(packed, target)
                target.flush()
                os.fsync(target.fileno())
            check_idx(unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile, CorruptFile) as error:
            raise CorruptFile(f"corrupt archive: {archive}: delete it to fetch it again") from error
        os.replace(unpacked, file)
