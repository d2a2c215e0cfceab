"""Fetching from mirrors that break: a real server on this machine, which resets connections."""

import gzip
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision import datasets
from torchvision.datasets.utils import calculate_md5

from gan_lightning.data import DataUnavailable, MNISTDataModule
from gan_lightning.data.download import unpack
from gan_lightning.data.idx import CorruptFile
from tests.data.test_corrupt import FILES

pytestmark = pytest.mark.fault(17)
Faults = dict[str, list[str]]


class Mirror(BaseHTTPRequestHandler):
    """Serves `files`; the first requests of a path meet the faults listed for it."""

    files: dict[str, bytes]
    faults: Faults
    asked: list[str]

    def do_GET(self) -> None:
        content = self.files[self.path.rpartition("/")[2]]
        waiting, fault = self.faults.get(self.path, []), ""
        if self.headers.get("Method") != "HEAD":  # torchvision looks for redirections first
            self.asked.append(self.path)
            fault = waiting.pop(0) if waiting else ""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault == "wrong":
            content = bytes(len(content))
        self.wfile.write(content[: len(content) // 2] if fault in ("reset", "cut") else content)
        if fault == "reset":  # closed without waiting: the other side sees a reset
            self.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Mirror]]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("urllib.request._opener", None)  # it remembers the proxies of before
    Mirror.files = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
    Mirror.faults, Mirror.asked = {}, []
    sums = []
    for name, content in Mirror.files.items():
        (tmp_path / "sum").write_bytes(content)
        sums.append((name, calculate_md5(tmp_path / "sum")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # broken on purpose
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{base}/first/", f"{base}/second/"])
    yield Mirror
    server.shutdown()
    server.server_close()


def prepare(root: Path) -> MNISTDataModule:
    data = MNISTDataModule("MNIST", str(root), name="mnist")
    data.prepare_data()
    return data


def names(root: Path) -> set[str]:
    return {path.name for path in (root / "MNIST" / "raw").iterdir()}


WHOLE = set(FILES) | {f"{name}.gz" for name in FILES}
PATH = "/first/train-images-idx3-ubyte.gz"


@pytest.mark.parametrize("fault", ["reset", "cut", "wrong"])
def test_the_next_mirror_is_tried(fault: str, mirror: type[Mirror], tmp_path: Path) -> None:
    mirror.faults[PATH] = [fault]
    assert len(prepare(tmp_path / "data").load(train=True)[0]) == 2
    assert mirror.asked[:2] == [PATH, PATH.replace("first", "second")]
    assert names(tmp_path / "data") == WHOLE


def test_a_mirror_that_broke_is_tried_once_more(mirror: type[Mirror], tmp_path: Path) -> None:
    mirror.faults[PATH] = ["reset"]
    mirror.faults[PATH.replace("first", "second")] = ["cut", "reset"]
    prepare(tmp_path / "data")
    assert mirror.asked[:3] == [PATH, PATH.replace("first", "second"), PATH]


def test_what_was_fetched_is_not_fetched_again(mirror: type[Mirror], tmp_path: Path) -> None:
    mirror.faults["/first/t10k-labels-idx1-ubyte.gz"] = ["reset"] * 2
    mirror.faults["/second/t10k-labels-idx1-ubyte.gz"] = ["reset"] * 2
    with pytest.raises(DataUnavailable, match=r"mnist is not in .*/second/: "):
        prepare(tmp_path / "data")
    assert names(tmp_path / "data") == {n for n in WHOLE if "t10k-labels" not in n}
    mirror.asked.clear()
    prepare(tmp_path / "data")
    assert mirror.asked == ["/first/t10k-labels-idx1-ubyte.gz"]


def test_what_torchvision_does_at_a_reset(mirror: type[Mirror], tmp_path: Path) -> None:
    """The reason for all this: it gives up, and leaves half a file under the final name."""
    mirror.faults[PATH] = ["reset"]
    with pytest.raises(OSError, match="reset"):
        datasets.MNIST(str(tmp_path), download=True)
    assert names(tmp_path) == {"train-images-idx3-ubyte.gz"}


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    for content in (gzip.compress(b"x" * 99), gzip.compress(b"x" * 99)[:-9], b"x"):
        (tmp_path / "x.gz").write_bytes(content)
        with pytest.raises(CorruptFile, match=r"corrupt archive: .*x\.gz"):
            unpack(tmp_path / "x.gz", tmp_path / "x")
        assert [path.name for path in tmp_path.iterdir()] == ["x.gz"]
