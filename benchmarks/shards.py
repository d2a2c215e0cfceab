"""Images/s from shards on disk, by ways of reading them: `python benchmarks/shards.py [rounds]`.

Random images, written to a temporary folder; each way reads an epoch in batches of 64, shuffled, in
a process of its own. `MB` is what the process grew by, the pages of mapped files included. `exact`:
after a stop in the middle, does what is left come as it would have? Ways whose package is not
installed are left out: pip install webdataset wids.
"""

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gan_lightning.data import ShardsDataModule
from gan_lightning.data.batches import EpochBatches, ImageTensors, loader
from gan_lightning.data.shard_files import ShardIndex
from gan_lightning.shards.write import SHARD, write_split

BATCH, PART = 64, 1000
SETS = {"28x28 grey": (100_000, 1, 28), "64x64 colour": (20_000, 3, 64)}


def parts(count: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for _ in range(count // PART):
        yield random.integers(0, 256, (PART, *shape), dtype=np.uint8)


def write(folder: Path, count: int, channels: int, side: int) -> None:
    """Write the same images as shards, as one array and, if it is there, as webdataset's tars."""
    shape = (channels, side, side)
    size = min(SHARD // (channels * side * side), count // 8)
    labels = np.arange(count) % 10
    for split, some in (("train", count), ("test", PART)):
        (folder / split).mkdir(parents=True)
        write_split(folder / split, parts(some, shape), labels[:some], size)
    ShardIndex(channels, side, [*"0123456789"], size, count, PART).write(folder)
    np.save(folder / "images.npy", np.concatenate(list(parts(count, shape))))
    if not find_spec("webdataset"):
        return
    import webdataset

    with webdataset.ShardWriter(f"{folder}/%04d.tar", maxcount=size, verbose=0) as writer:
        for row, image in enumerate(itertools.chain.from_iterable(parts(count, shape))):
            label = str(labels[row])
            writer.write({"__key__": f"{row:08d}", "raw": image.tobytes(), "cls": label})


def index_of(folder: Path) -> ShardIndex:
    return ShardsDataModule(str(folder), num_classes=0).index


def memory(folder: Path, epoch: int) -> Iterable[Any]:
    index = index_of(folder)
    images = torch.from_numpy(np.load(folder / "images.npy"))
    samples = ImageTensors(images, torch.arange(index.train) % 10)
    return loader(samples, EpochBatches(index.train, BATCH, epoch=epoch), 0)


def shards(folder: Path, epoch: int, workers: int = 0) -> Iterable[Any]:
    index = index_of(folder)
    data = ShardsDataModule(
        str(folder), channels=index.channels, resolution=index.image_size, num_workers=workers
    )
    data.setup()
    found = data.train_dataloader()
    found.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return found


def litdata_stream(folder: Path, epoch: int, workers: int = 0) -> Iterable[Any]:
    import litdata

    dataset = litdata.StreamingDataset(str(folder / "train"), shuffle=True)
    return litdata.StreamingDataLoader(
        dataset, batch_size=BATCH, num_workers=workers, collate_fn=partial(stack, index_of(folder))
    )


def webdataset_stream(folder: Path, epoch: int, workers: int = 0) -> Iterable[Any]:
    import webdataset

    files = sorted(map(str, folder.glob("*.tar")))
    index = index_of(folder)
    stream = webdataset.WebDataset(files, shardshuffle=len(files), seed=epoch)
    stream = stream.shuffle(index.shard_size).map(lambda item: item["raw"])
    return webdataset.WebLoader(
        stream, batch_size=BATCH, num_workers=workers, collate_fn=partial(stack, index)
    )


def wids_by_index(folder: Path, epoch: int) -> Iterable[Any]:
    import wids

    index = index_of(folder)
    files = sorted(map(str, folder.glob("*.tar")))
    sizes = [index.shard_size] * (len(files) - 1)
    sizes.append(index.train - sum(sizes))
    listed = [{"url": f, "nsamples": n} for f, n in zip(files, sizes, strict=True)]
    dataset = wids.ShardListDataset(listed, transformations=[], lru_size=8)
    order = shards(folder, epoch).sampler  # type: ignore[attr-defined]
    return (stack(index, [dataset[i][".raw"].read() for i in sorted(rows.tolist())]) for rows in order)


def stack(index: ShardIndex, items: list[bytes]) -> torch.Tensor:
    found = np.frombuffer(bytearray().join(items), np.uint8)
    side = index.image_size
    return torch.from_numpy(found.reshape(len(items), index.channels, side, side))


WAYS: dict[str, Callable[[Path, int], Iterable[Any]]] = {
    "in memory": memory,
    "data=shards": shards,
    "data=shards, 2 workers": partial(shards, workers=2),
    "litdata's own loader": litdata_stream,
    "webdataset": webdataset_stream,
    "webdataset's index (wids)": wids_by_index,
}
NEEDS = {"webdataset": "webdataset", "webdataset's index (wids)": "wids"}


def resident() -> float:
    """Return the MB that this process has in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measure(way: str, folder: Path) -> None:
    """Print images/s of a second epoch, after one to warm up, and the memory that was taken."""
    torch.set_num_threads(1)
    before = resident()
    for epoch in range(2):
        start, images = time.perf_counter(), 0
        for batch in WAYS[way](folder, epoch):
            images += len(batch[0] if isinstance(batch, list | tuple) else batch)
        seconds = time.perf_counter() - start
    print(json.dumps([images / seconds, resident() - before]))


def main(rounds: int) -> None:
    ways = [way for way in WAYS if find_spec(NEEDS.get(way, "litdata"))]
    for name, size in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), *size)
            found: dict[str, list[list[float]]] = {way: [] for way in ways}
            for _ in range(rounds):
                for way in ways:
                    command = [sys.executable, __file__, "--way", way, folder]
                    done = subprocess.run(command, capture_output=True, text=True, check=False)
                    if done.returncode:
                        raise RuntimeError(done.stderr)
                    found[way].append(json.loads(done.stdout.splitlines()[-1]))
        print(f"\n| {size[0]:,} images, {name} | images/s | range | MB |\n|---|---|---|---|")
        for way, rows in found.items():
            rates, grown = zip(*rows, strict=True)
            spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
            print(f"| {way} | {statistics.median(rates):,.0f} | {spread} | {max(grown):,.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 3)
