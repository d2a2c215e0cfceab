"""How fast images are read from shards: `python benchmarks/shards.py`.

Random images, written to a temporary folder and read in batches of 64, in random order, an epoch by
each way. Counted are images in a second of CPU time: other work on the machine does not change it.
`after a stop` says whether the second half of an epoch, read by a run that goes on, is the same as
without the stop. A way whose package is missing is left out: pip install webdataset.
"""

import itertools
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
from torch.utils.data import DataLoader

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gan_lightning.data import ShardsDataModule, shards_hold
from gan_lightning.data.batches import EpochBatches, ImageTensors, loader
from gan_lightning.data.shard_files import ShardIndex, read_index
from gan_lightning.shards.write import SHARD, write_split

BATCH, PART = 64, 1000
SETS = {"28x28 grey": (40_000, 1, 28), "64x64 colour": (16_000, 3, 64)}
Read = Callable[[Path, int], Iterable[Any]]  # a folder, the first batch -> batches


def parts(count: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for _ in range(count // PART):
        yield random.integers(0, 256, (PART, *shape), dtype=np.uint8)


def write(folder: Path, count: int, channels: int, side: int) -> None:
    """Write shards, 16 or more, the same images as one array, and as webdataset's tars."""
    shape = (channels, side, side)
    size = min(SHARD // (channels * side * side), count // 16)
    labels = np.arange(count) % 10
    for split, some in (("train", count), ("test", PART)):
        (folder / split).mkdir(parents=True)
        write_split(folder / split, parts(some, shape), labels[:some], size)
    ShardIndex(channels, side, [*"0123456789"], size, count, PART).write(folder)
    np.save(folder / "images.npy", np.concatenate(list(parts(count, shape))))
    if find_spec("webdataset"):
        import webdataset

        with webdataset.ShardWriter(f"{folder}/%04d.tar", maxcount=size, verbose=0) as writer:
            for row, image in enumerate(itertools.chain.from_iterable(parts(count, shape))):
                writer.write({"__key__": f"{row:08d}", "raw": image.tobytes()})


def stack(index: ShardIndex, items: list[bytes]) -> tuple[torch.Tensor]:
    found = np.frombuffer(bytearray().join(items), np.uint8)
    side = index.image_size
    return (torch.from_numpy(found.reshape(len(items), index.channels, side, side)),)


def in_memory(folder: Path, start: int) -> Iterable[Any]:
    images = torch.from_numpy(np.load(folder / "images.npy"))
    samples = ImageTensors(images, torch.arange(len(images)) % 10)
    return loader(samples, EpochBatches(len(images), BATCH, start=start), 0)


def shards(folder: Path, start: int) -> Iterable[Any]:
    data = ShardsDataModule(str(folder), batch_size=BATCH, **shards_hold(str(folder)))
    data.setup()
    data.load_state_dict({"epoch": 0, "batch": start})
    return data.train_dataloader()


def litdata_loader(folder: Path, start: int) -> Iterable[Any]:
    import litdata

    def fresh() -> Any:
        dataset = litdata.StreamingDataset(str(folder / "train"), shuffle=True)
        stacked = partial(stack, read_index(folder))
        return litdata.StreamingDataLoader(dataset, batch_size=BATCH, collate_fn=stacked)

    found = fresh()
    if start:
        stopped = fresh()
        for _ in itertools.islice(stopped, start):
            pass
        found.load_state_dict(stopped.state_dict())
    return found


def webdataset_stream(folder: Path, start: int) -> Iterable[Any]:
    import webdataset

    files, index = sorted(map(str, folder.glob("*.tar"))), read_index(folder)
    stream = webdataset.WebDataset(files, shardshuffle=len(files), seed=0, empty_check=False)
    stream = stream.shuffle(index.shard_size).map(lambda item: item["raw"])
    found = DataLoader(stream, batch_size=BATCH, collate_fn=partial(stack, index))
    return itertools.islice(found, start, None)  # it has no other way


WAYS: dict[str, Read] = {
    "in memory": in_memory,
    "`data=shards`": shards,
    "litdata's own loader": litdata_loader,
    "webdataset": webdataset_stream,
}
NEEDS = {"in memory": "torch", "webdataset": "webdataset"}


def rate(read: Read, folder: Path) -> float:
    """Return images a second of CPU time, of a whole epoch."""
    list(itertools.islice(read(folder, 0), 20))
    before = time.process_time()
    images = sum(len(batch[0]) for batch in read(folder, 0))
    return images / (time.process_time() - before)


def rest(read: Read, folder: Path, half: int) -> str:
    """Return whether the second half after a stop is that of the whole."""
    whole = [batch[0] for batch in read(folder, 0)][half:]
    alone = [batch[0] for batch in read(folder, half)]
    same = len(whole) == len(alone) and all(map(torch.equal, whole, alone))
    return "the same" if same else "another"


def main() -> None:
    torch.set_num_threads(1)
    ways = [way for way in WAYS if find_spec(NEEDS.get(way, "litdata"))]
    for name, size in SETS.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write(folder, *size)
            print(f"\n| {size[0]:,} images, {name} | images a CPU second | after a stop |")
            print("|---|---|---|")
            for way in ways:
                speed = rate(WAYS[way], folder)
                half = rest(WAYS[way], folder, size[0] // BATCH // 2)
                print(f"| {way} | {speed:,.0f} | {half} |", flush=True)


if __name__ == "__main__":
    main()
