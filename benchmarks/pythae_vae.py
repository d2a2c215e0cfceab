"""Train pythae's plain VAE on MNIST for some minutes and write samples that evaluate.py scores.

    pip install pythae==0.1.2    # not in constraints.txt: nothing else here needs it
    OMP_NUM_THREADS=1 python benchmarks/pythae_vae.py --minutes 12 --output pythae.npz
    python evaluate.py images=pythae.npz data=mnist

The recipe is that of its examples/scripts/configs/mnist: latent_dim 16, squared error, Adam 1e-3,
batch 100, with its convolutional networks for MNIST; --networks mlp takes its default ones, and
--loss bce the Bernoulli likelihood. Minutes are CPU time of training alone on one thread.
"""

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pythae.models import VAE, VAEConfig
from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
from pythae.pipelines import TrainingPipeline
from pythae.samplers import NormalSampler
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torchvision.datasets import MNIST


class Stop(Exception):
    """The time is over."""


class Clock(TrainingCallback):
    """Ends the training when its CPU time is used."""

    def __init__(self, minutes: float) -> None:
        self.end = time.process_time() + 60 * minutes
        self.steps = 0

    def on_train_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Count a step."""
        self.steps += 1
        if time.process_time() >= self.end:
            raise Stop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--networks", choices=("conv", "mlp"), default="conv")
    parser.add_argument("--loss", choices=("mse", "bce"), default="mse")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="data", help="the folder with MNIST/raw")
    parser.add_argument("--output", type=Path, default=Path("pythae.npz"))
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    images = MNIST(asked.data, train=True).data[:, None].numpy() / 255.0
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=16, reconstruction_loss=asked.loss)
    conv = (Encoder_Conv_VAE_MNIST(config), Decoder_Conv_AE_MNIST(config))
    model = VAE(config, *(conv if asked.networks == "conv" else (None, None)))
    with tempfile.TemporaryDirectory() as folder:
        training = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=100,
            learning_rate=1e-3,
            per_device_train_batch_size=100,
            no_cuda=True,
            seed=asked.seed,
        )
        clock = Clock(asked.minutes)
        with suppress(Stop):
            TrainingPipeline(training_config=training, model=model)(images, callbacks=[clock])
    model.eval()
    drawn = NormalSampler(model).sample(num_samples=asked.samples, batch_size=100)
    pixels = (drawn.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    np.savez_compressed(asked.output, images=pixels)
    print(f"{clock.steps * 100:,} images seen; {len(pixels):,} samples -> {asked.output}")


if __name__ == "__main__":
    main()
