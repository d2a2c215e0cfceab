"""Sets larger than memory: written from a folder, read by the batch, gone on with exactly."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from benchmarks.state import curves, differences
from gan_lightning.data import ImageFolderDataModule, ShardsDataModule, shards_hold
from gan_lightning.data.batches import EpochBatches
from gan_lightning.data.images import resize
from gan_lightning.data.shard_files import INDEX, ShardIndex
from gan_lightning.data.shards import ShardImages
from gan_lightning.errors import UserError
from gan_lightning.shards.__main__ import main
from gan_lightning.shards.write import Asked, write_shards, write_split
from tests.conftest import ROOT, Command
from tests.faults.test_signals import at, seen

pytest.importorskip("litdata")
EACH, SIDE = 60, 12  # images of each of the three classes


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of grey images of random pixels in three class folders."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for label in range(3):
        (folder / f"class {label}").mkdir()
        for i in range(EACH):
            pixels = random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"class {label}" / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def folder(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same images as shards; do not change them."""
    output = tmp_path_factory.mktemp("written") / "shards"
    write_shards(Asked(images, output, shard_size=20))
    return output


def opened(folder: Path, **arguments: Any) -> ShardsDataModule:
    data = ShardsDataModule(
        str(folder), **shards_hold(str(folder)) | {"resolution": SIDE} | arguments
    )
    data.prepare_data()
    data.setup()
    return data


def counted(images: Tensor, labels: Tensor) -> Counter:
    return Counter(zip([i.numpy().tobytes() for i in images], labels.tolist(), strict=True))


def test_shards_hold_what_the_folder_does(images: Path, folder: Path) -> None:
    data = opened(folder)
    same = ImageFolderDataModule(str(images), num_classes=3, resolution=SIDE)
    assert data.class_names() == same.class_names()
    assert (data.num_classes, data.channels, data.resolution) == (3, 1, SIDE)
    for train in (True, False):
        assert counted(*data.load(train)) == counted(*same.load(train))
    assert counted(*data.images[torch.arange(162)]) == counted(*same.load(True))


def test_train_and_test_folders_are_the_splits(images: Path, tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path / "in" / "train")
    shutil.copytree(images / "class 1", tmp_path / "in" / "test" / "class 1")
    write_shards(Asked(tmp_path / "in", tmp_path / "out"))
    data = opened(tmp_path / "out")
    assert len(data.images) == 3 * EACH
    assert data.split(train=False).labels.tolist() == [1] * EACH


def served(folder: Path, epoch: int = 0, start: int = 0, **arguments: Any) -> list[list[Tensor]]:
    data = opened(folder, **{"batch_size": 8} | arguments)
    data.load_state_dict({"epoch": epoch, "batch": start})
    return list(data.train_dataloader())


def test_an_epoch_has_every_image_once_and_another_order_each_time(folder: Path) -> None:
    first, second = served(folder, batch_size=6), served(folder, epoch=1, batch_size=6)
    held = counted(*opened(folder).load(True))
    for batches in (first, second):
        assert counted(*map(torch.cat, zip(*batches, strict=True))) == held
    assert not torch.equal(first[0][0], second[0][0])


def test_two_processes_share_out_each_batch(folder: Path) -> None:
    images = opened(folder).images
    order = {"num_images": 162, "batch_size": 9, "shuffled": images.shuffled}
    ranks = [torch.cat(list(EpochBatches(**order, rank=r, world_size=2))) for r in range(2)]
    assert sorted(torch.cat(ranks).tolist()) == list(range(162))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_after_a_stop_are_those_without(folder: Path, workers: int) -> None:
    whole = served(folder, epoch=3)
    rest = served(folder, epoch=3, start=7, num_workers=workers)
    assert len(rest) == len(whole) - 7
    for (image, label), (wanted, known) in zip(rest, whole[7:], strict=True):
        assert torch.equal(image, wanted)
        assert torch.equal(label, known)


def test_shards_are_taken_a_window_at_a_time_and_mixed(folder: Path) -> None:
    images = opened(folder, window=3).images
    assert isinstance(images, ShardImages)
    order = images.shuffled(np.random.default_rng(0))
    assert sorted(order) == list(range(162))
    shards = images.pixels.shards[order]
    places = [(shards == shard).nonzero()[0] for shard in range(9)]
    begun = [sum(p[0] <= at <= p[-1] for p in places) for at in range(162)]
    assert max(begun) == 3
    assert (np.diff(shards[:100]) != 0).sum() > 20


def test_what_is_chosen_is_not_read_before_it_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("gan_lightning.data.shard_files.streaming_dataset", pytest.fail)
        data = opened(folder, classes=[0, 2], fraction=0.5)
        images = data.images
    assert set(images.labels.tolist()) == {0, 2}
    assert 50 <= len(images) <= 60  # half of 120 without those held out
    assert images.images.shape == (len(images), 1, SIDE, SIDE)
    held = counted(*opened(folder).load(True))
    assert counted(*images[torch.arange(len(images))]) <= held


def test_images_are_resized_when_they_are_read(folder: Path) -> None:
    rows = torch.tensor([5, 3, 100])
    small, large = (opened(folder, resolution=side).images[rows][0] for side in (SIDE, 28))
    assert torch.equal(large, resize(small, 28))


def test_scores_look_at_a_bounded_sample(folder: Path) -> None:
    data = opened(folder, reals=30)
    assert [len(data.split(train)) for train in (True, False)] == [30, 18]
    assert len(data.images) == 162
    assert len(set(data.split(True).labels.tolist())) == 3
    assert opened(folder, num_classes=0).split(True).labels.unique().tolist() == [0]


def changed_index(folder: Path, split: str, **values: Any) -> None:
    file = folder / split / "index.json"
    found = json.loads(file.read_text())
    found["config"] |= values
    file.write_text(json.dumps(found))


DAMAGE = {
    "no shards": (lambda f: (f / INDEX).unlink(), r"holds no shards\.json: write it by"),
    "no index": (lambda f: (f / INDEX).write_text("{"), r"shards\.json is damaged"),
    "a size": (
        lambda f: ShardIndex(1, 0, [], 1, 1, 1).write(f),
        r"shards\.json is damaged \(a value is wrong\)",
    ),
    "cut": (lambda f: os.truncate(f / "train/chunk-0-2.bin", 99), r"chunk-0-2\.bin is damaged"),
    "gone": (lambda f: (f / "test/chunk-0-0.bin").unlink(), r"test/chunk-0-0\.bin is damaged"),
    "labels": (lambda f: np.save(f / "train/labels.npy", np.zeros(3)), r"labels\.npy is damaged"),
    "a structure": (
        lambda f: changed_index(f, "test", data_spec='[1, {"type": "builtins.dict"}]'),
        r"test/index\.json is damaged \(not 18 plain images\)",
    ),
    "pickles": (
        lambda f: changed_index(f, "train", data_format=["pickle"]),
        r"train/index\.json is damaged \(not 162 plain images\)",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named(what: str, folder: Path, tmp_path: Path) -> None:
    damage, words = DAMAGE[what]
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    damage(copy)
    with pytest.raises(UserError, match=words):
        opened(copy)


def test_without_folders_there_are_no_labels(images: Path, tmp_path: Path) -> None:
    write_shards(Asked(images / "class 0", tmp_path / "out"))
    assert opened(tmp_path / "out").class_counts() == []
    with pytest.raises(UserError, match=r"data\.num_classes=2, but .*out has no labels"):
        opened(tmp_path / "out", num_classes=2)


def test_the_command(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"input={images}", f"output={tmp_path / 'out'}", "image_size=8", "channels=3"]
    main(words)
    assert "162 + 18 images 3x8x8, 3 classes" in capsys.readouterr().out
    assert shards_hold(str(tmp_path / "out")) == {
        "channels": 3,
        "resolution": 28,  # images of 8 pixels are resized to what networks draw
        "num_classes": 3,
    }
    wrong = {
        "input=FOLDER is missing": words[1:],
        "exists: choose another": words,
        "is no folder of images": [f"input={tmp_path / 'none'}", f"output={tmp_path / 'new'}"],
        "channels=2 must be 1": [words[0], f"output={tmp_path / 'new'}", "channels=2"],
        "test_fraction=2.0 must": [words[0], f"output={tmp_path / 'new'}", "test_fraction=2"],
    }
    for sentence, given in wrong.items():
        with pytest.raises(SystemExit) as end:
            main(given)
        assert end.value.code == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert len(said.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_sizes_that_differ_need_a_size_and_colours_are_found(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for side in (8, 9):
        Image.new("RGB", (side, side), (200, 0, 0)).save(tmp_path / "in" / f"{side}.png")
    with pytest.raises(UserError, match=r"input=\S+/in output=\S+/in-shards$"):
        opened(tmp_path / "in")
    with pytest.raises(UserError, match="image_size is missing"):
        write_shards(Asked(tmp_path / "in", tmp_path / "out"))
    write_shards(Asked(tmp_path / "in", tmp_path / "out", image_size=8))
    assert shards_hold(str(tmp_path / "out"))["channels"] == 3


KILLED = """
import os, signal, sys
from pathlib import Path
from gan_lightning.shards import write
read, calls = write.read_files, []
def read_then_die(*arguments):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(*arguments)
write.read_files, write.PART = read_then_die, 20
write.write_shards(write.Asked(Path(sys.argv[1]), Path(sys.argv[2]), shard_size=20))
"""


def test_a_killed_writer_leaves_nothing_that_looks_whole(images: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(images), str(output)], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert any(tmp_path.rglob("chunk-*.bin"))
    assert not output.exists()
    assert not any(tmp_path.rglob(INDEX))
    write_shards(Asked(images, output))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(opened(output).images) == 162


def test_a_file_that_cannot_be_read_leaves_nothing(images: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(images, tmp_path / "in"))
    (copy / "class 0" / "1.png").write_bytes(b"none")
    with pytest.raises(UserError, match=r"1\.png cannot be read as an image"):
        write_shards(Asked(copy, tmp_path / "out", image_size=8))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


TINY = (
    *("debug=fast", "callbacks.progress_bar=null", "trainer.limit_train_batches=8"),
    *("model=mlp", "data.resolution=28", "log_every_n_images=24", "resume=auto"),
    *("callbacks.checkpoints.every_n_images=16", "callbacks.doctor=null"),
)


@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_is_the_untouched_one(folder: Path, devices: int, command: Command) -> None:
    settings = (*TINY, "data=shards", f"data.root={folder}", f"trainer.devices={devices}")
    settings += (f"data.batch_size={8 // devices}", f"data.num_workers={2 * (devices == 1)}")
    assert command(*settings, "hydra.run.dir=whole").status == 0
    with pytest.raises(AssertionError, match="on purpose"):  # dies within the first epoch
        command(*settings, "hydra.run.dir=cut", *at(40, 0))
    assert seen(Path("cut")) == 32
    assert command(*settings, "hydra.run.dir=cut").status == 0
    assert curves(Path("cut")) == curves(Path("whole"))
    assert differences(Path("whole"), Path("cut")) == []


GROWTH = """
import sys
from gan_lightning.data import ShardsDataModule, shards_hold
from tests.untrusted.memory import used
def epoch(folder):
    data = ShardsDataModule(folder, reals=10, **shards_hold(folder))
    data.prepare_data()
    data.setup()
    return sum(len(labels) for _, labels in data.train_dataloader())
epoch(sys.argv[1])
before = used()
print(epoch(sys.argv[2]), used() - before)
"""


def write_random(folder: Path, count: int, channels: int, side: int) -> int:
    """Write a split of random images of about a thousand each part; return the bytes on disk."""
    random = np.random.default_rng(0)
    size = max(1, (1 << 22) // (channels * side * side))

    def parts(total: int) -> Any:
        for first in range(0, total, size):
            shape = (min(size, total - first), channels, side, side)
            yield random.integers(0, 256, shape, dtype=np.uint8)

    for split, some in (("train", count), ("test", 10)):
        (folder / split).mkdir(parents=True)
        write_split(folder / split, parts(some), np.arange(some) % 2, size)
    ShardIndex(channels, side, ["a", "b"], size, count, 10).write(folder)
    return sum(file.stat().st_size for file in folder.rglob("*.bin"))


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    """An epoch of 100 MB takes at most 30 MB more than one of 6 MB."""
    write_random(tmp_path / "small", 128, 3, 128)
    assert write_random(tmp_path / "large", 2112, 3, 128) > 100e6
    paths = [str(tmp_path / name) for name in ("small", "large")]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, *paths], cwd=ROOT, capture_output=True, text=True, check=True
    )
    images, grown = map(int, done.stdout.split())
    assert images == 2112
    assert grown < 30e6
