"""The generator files of a run: the latest, and the best, which outlives worse ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_lightning import train
from gan_lightning.callbacks import LiveScores
from gan_lightning.export.generator_file import read_generator, read_metadata

EPOCH = 32  # images
SMALL = (
    *("data=digits", "data.repeat=1", "debug=fast", "model=mlp", "model.generator.hidden=[4]"),
    *("model.discriminator.hidden=[4]", "callbacks.progress_bar=null", "callbacks.samples=null"),
    *("logger.tensorboard=null", "hydra.run.dir=run", "callbacks.doctor.num_images=20"),
    "callbacks.scores={_target_: gan_lightning.callbacks.LiveScores, num_samples: 200, "
    "neighbours: 50}",
)


@pytest.fixture
def fids(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that the test fills with the FID of each evaluation."""
    script: list[float] = []
    values: Iterator[float] = iter(lambda: script.pop(0), None)
    monkeypatch.setattr(LiveScores, "_scores", lambda *_: {"fid": next(values)})
    return script


def test_the_best_generator_survives(
    fids: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    """A run that got worse keeps its best, says so, and a resumed one remembers it."""
    monkeypatch.chdir(tmp_path)
    fids += [0.5, 0.2, 0.3]
    train([*SMALL, "trainer.max_epochs=3"])
    latest, best = Path("run/generator.safetensors"), Path("run/best.safetensors")
    assert read_metadata(latest).images_seen == 3 * EPOCH
    assert read_metadata(latest).scores == {"score/fid": 0.3}
    assert read_metadata(best).images_seen == 2 * EPOCH
    assert f"best       {best} (FID 0.2, 64 images seen)" in capfd.readouterr().out
    assert read_generator(Path("run"))[2] == best
    assert not Path("run/run.log").exists()

    fids += [0.41, 0.41]  # more than twice the best, for the second time at the end
    train(["resume=run", "trainer.max_epochs=5"])
    assert read_metadata(best).images_seen == 2 * EPOCH
    said = Path("run/run.log").read_text()
    assert "score/fid 0.41 is 2.0 times its best, 0.2 at 64 images seen" in said
    assert "best.safetensors" in said

    fids += [0.1]
    train(["resume=run", "trainer.max_epochs=6"])
    assert read_metadata(best).images_seen == read_metadata(latest).images_seen == 6 * EPOCH
    assert "best       " not in capfd.readouterr().out.rpartition("generator  ")[2]
