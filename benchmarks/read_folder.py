"""How fast a folder of small images is read: `python benchmarks/read_folder.py [images] [side]`.

Writes PNGs of noise on discs into ten class folders of a temporary folder, then reads them as
`data=image_folder` does. The goal, not yet shown: 100,000 of 28 pixels in 20 s on 2 quiet cores.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from gan_lightning.data import ImageFolderDataModule, count_labels


def write(folder: Path, images: int, side: int) -> None:
    random = np.random.default_rng(0)
    axis = np.linspace(-1, 1, side)
    across = np.hypot(axis[:, None], axis)
    for label in range(10):
        (folder / str(label)).mkdir()
    for i in range(images):
        disc = (across < random.uniform(0.2, 0.9)) * random.integers(128, 256, (side, side))
        Image.fromarray(disc.astype(np.uint8)).save(folder / str(i % 10) / f"{i:06d}.png")


def main(images: int, side: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), images, side)
        start = time.perf_counter()
        labels = count_labels(name)
        data = ImageFolderDataModule(name, num_classes=labels, resolution=side)
        data.prepare_data()
        data.setup()
        seconds = time.perf_counter() - start
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(
            f"{images:,} PNGs of {side} pixels in {seconds:.1f} s, {images / seconds:,.0f}/s",
            end="",
        )
        print(f" ({os.cpu_count()} cores, load {load})")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:3]]
    main(*given, *(5000, 28)[len(given) :])
