"""Scores during training: logged, kept in files, and the same on two devices as on one."""

import csv
from pathlib import Path

import pytest
import torch

from gan_lightning.data import DigitsDataModule
from gan_lightning.export.generator_file import read_generator
from gan_lightning.metrics import FeatureNetwork, cheap_scores, real_statistics
from gan_lightning.sampling.draw import sample
from tests.conftest import Command

SAMPLES, NEIGHBOURS = 250, 100  # not a multiple of what two devices share out evenly


@pytest.mark.parametrize("devices", [1, 2])
def test_curves_are_the_scores_of_the_generator_file_on_any_number_of_devices(
    devices: int, command: Command, network: FeatureNetwork, digits: DigitsDataModule
) -> None:
    folder = Path("run")
    done = command(
        f"hydra.run.dir={folder}",
        "data=digits",
        "debug=fast",
        "model=mlp",
        f"trainer.devices={devices}",
        "callbacks.scores={_target_: gan_lightning.callbacks.LiveScores, "
        f"num_samples: {SAMPLES}, neighbours: {NEIGHBOURS}}}",
    )
    assert done.status == 0, done.err
    with (folder / "metrics.csv").open() as file:
        scored = [row for row in csv.DictReader(file) if row["score/fid"]]
    assert len(scored) == 2, "one a epoch"

    generator, metadata, _ = read_generator(folder)
    assert sum(metadata.class_counts) == 1500
    images, _ = sample(generator, SAMPLES, 0, metadata.labels, metadata.class_counts)
    expected = cheap_scores(network.embed(images), real_statistics(digits, network), NEIGHBOURS)
    for name, value in expected.items():
        assert float(scored[-1][f"score/{name}"]) == pytest.approx(value, rel=1e-6, abs=1e-6)
        assert metadata.scores[f"score/{name}"] == pytest.approx(value, rel=1e-6, abs=1e-6)

    best = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    lowest = min(float(row["score/fid"]) for row in scored)
    assert best["state_dict"]["_extra_state"]["scores"]["score/fid"] == pytest.approx(lowest)
