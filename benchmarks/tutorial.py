"""A GAN the way tutorials write one, and its FID by the clock: what a copied script reaches.

    python benchmarks/tutorial.py [--minutes 30] [--every 2]

32 pixels, one image at a time through Pillow in the loader, a generator of upsampling and
convolutions, BatchNorm in both, Adam 2e-4 with beta1 0.5, BCE of a sigmoid, no labels, no average.
Scored as this project scores: 10,000 samples, scaled to 28 pixels, against the training split.
The clock is CPU time and stands still while it is scored: OMP_NUM_THREADS=1 python ...
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

import gan_lightning  # noqa: F401  # first: it says how OpenMP's threads wait
from gan_lightning.data import MNISTDataModule
from gan_lightning.metrics import cheap_scores, feature_network, real_statistics


class PerImage(Dataset[Tensor]):
    """MNIST through Pillow, image by image: resized to 32 pixels, then to [-1, 1]."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        picture = Image.fromarray(self.images[index, 0].numpy()).resize((32, 32))
        pixels = torch.tensor(list(picture.tobytes()), dtype=torch.uint8).view(1, 32, 32)
        return pixels.float() / 127.5 - 1


def generator() -> nn.Module:
    return nn.Sequential(
        nn.Linear(100, 128 * 8 * 8),
        nn.Unflatten(1, (128, 8, 8)),
        nn.BatchNorm2d(128),
        nn.Upsample(scale_factor=2),
        *(nn.Conv2d(128, 128, 3, padding=1), nn.BatchNorm2d(128, 0.8), nn.LeakyReLU(0.2)),
        nn.Upsample(scale_factor=2),
        *(nn.Conv2d(128, 64, 3, padding=1), nn.BatchNorm2d(64, 0.8), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 1, 3, padding=1), nn.Tanh()),
    )


def discriminator() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
        layers += [nn.BatchNorm2d(after, 0.8)] if before > 1 else []
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 2 * 2, 1), nn.Sigmoid())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=2, help="minutes between two scores")
    asked = parser.parse_args()
    torch.manual_seed(0)
    data = MNISTDataModule("MNIST", os.environ.get("GAN_DATA_DIR", "data"))
    data.prepare_data()
    network = feature_network(data)
    reals = real_statistics(data, network)
    loader = DataLoader(PerImage(data.split(train=True).images), 64, shuffle=True)
    g, d = generator(), discriminator()
    of_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
    of_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
    bce = nn.BCELoss()
    spent, seen, last, start = 0.0, 0, 0.0, time.process_time()
    while spent < 60 * asked.minutes:
        for real in loader:
            ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            of_g.zero_grad()
            fake = g(torch.randn(len(real), 100))
            bce(d(fake), ones).backward()
            of_g.step()
            of_d.zero_grad()
            ((bce(d(real), ones) + bce(d(fake.detach()), zeros)) / 2).backward()
            of_d.step()
            seen += len(real)
            spent_now = spent + time.process_time() - start
            if spent_now - last < 60 * asked.every:
                continue
            spent = last = spent_now
            g.eval()
            with torch.inference_mode():
                samples = torch.cat([g(torch.randn(100, 100)) for _ in range(100)])
            g.train()
            small = F.interpolate(samples, size=28, mode="bilinear", antialias=True)
            fid = cheap_scores(network.embed(small), reals, 2000)["fid"]
            print(f"{spent / 60:.1f} min, {seen:,} images: FID {fid:.3f}", flush=True)
            if spent >= 60 * asked.minutes:
                return
            start = time.process_time()


if __name__ == "__main__":
    main()
