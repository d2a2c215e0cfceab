"""The cache: where it is, that it never mixes anything up, and two writers at once."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gan_lightning.data import DigitsDataModule
from gan_lightning.metrics.features.cache import cache_folder, fingerprint
from gan_lightning.metrics.features.classifier import FeatureNetwork
from gan_lightning.metrics.reals import real_statistics
from gan_lightning.system.files import write_once


def write(path: Path, number: int) -> None:
    path.write_bytes(bytes([number]) * 300_000)


def data_in(root: Path | None) -> SimpleNamespace:
    return SimpleNamespace(root=root)


def test_beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    root = tmp_path / "data"
    root.mkdir()
    assert cache_folder(data_in(root)) == root / "gan_lightning"  # type: ignore[arg-type]
    root.joinpath("gan_lightning").rmdir()
    root.chmod(0o555)  # read-only data, even for root
    home = tmp_path / "home" / "gan_lightning"
    assert cache_folder(data_in(root)) == home  # type: ignore[arg-type]
    assert cache_folder(data_in(None)) == home  # type: ignore[arg-type]
    assert list(root.iterdir()) == []


def test_the_first_writer_wins_and_nobody_sees_half(tmp_path: Path) -> None:
    path, start = tmp_path / "file", threading.Barrier(8)
    seen: list[bytes] = []

    def work(number: int) -> None:
        start.wait()
        write_once(
            path, lambda temporary: temporary.write_bytes(bytes([number]) * 300_000) and None
        )
        seen.append(path.read_bytes())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert len(seen) == 8
    assert len(seen[0]) == 300_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_once(tmp_path / "file", fail)
    assert list(tmp_path.iterdir()) == []


def test_fingerprint_sees_everything() -> None:
    images, labels = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.arange(4)
    marks = {fingerprint(images, labels), fingerprint(images.reshape(4, 1, 1, 4), labels)}
    marks.add(fingerprint(images, labels.flip(0)))
    images[3, 0, 1, 1] = 1
    marks.add(fingerprint(images, labels))
    assert len(marks) == 4


def test_reals_are_computed_once(
    digits: DigitsDataModule, network: FeatureNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = real_statistics(digits, network, train=False)
    monkeypatch.setattr(network, "embed", None)  # must not be called
    again = real_statistics(digits, network, train=False)
    assert torch.equal(first.embedded.features, again.embedded.features)
    assert again.unit == network.unit
    assert len(again) == 297
    kept = cache_folder(digits)  # of this session, whichever tests ran before in this process
    assert (kept / f"reals-{first.fingerprint}-{network.unit}.safetensors").is_file()


def test_other_classes_are_other_reals(network: FeatureNetwork) -> None:
    some = real_statistics(DigitsDataModule(name="digits", classes=[3, 5]), network, train=False)
    assert set(some.labels.tolist()) == {3, 5}
    assert len(some.embedded) == len(some)
