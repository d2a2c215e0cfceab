"""`train.py` end to end, as a user starts it: what it says, what it leaves, how it ends."""

import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gan_lightning.export.generator_file import read_generator
from gan_lightning.loggers import MetricsCSV
from tests.conftest import NO_NETWORK, Command, Finished, run_script

TINY = ("data=digits", "debug=fast", "trainer.max_epochs=1")


def config_of(folder: Path) -> dict:
    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert isinstance(config, dict)
    return config


def axis(folder: Path) -> list[int]:
    """Return the images_seen of the curves' points."""
    rows = (folder / "metrics.csv").read_text().splitlines()
    assert rows[0].startswith("images_seen,")
    return [int(row.partition(",")[0]) for row in rows[1:]]


def test_a_run_leaves_what_the_design_says(run_folder: Path) -> None:
    for name in ("config.yaml", "metrics.csv", "generator.safetensors", "checkpoints/last.ckpt"):
        assert (run_folder / name).stat().st_size > 0
    assert len(list(run_folder.glob("events.out.tfevents.*"))) == 1
    pictures = sorted(p.name for p in (run_folder / "samples").iterdir())
    assert pictures == ["000000032.png", "000000064.png"]
    assert Image.open(run_folder / "samples" / pictures[0]).size == (302, 302)
    assert not list(run_folder.rglob("*.tmp"))


def test_a_runs_config_is_resolved(run_folder: Path) -> None:
    assert "${" not in (run_folder / "config.yaml").read_text()
    config = config_of(run_folder)
    assert config["model"]["generator"]["image_shape"] == [1, 28, 28]
    assert config["data"]["name"] == "digits"


def test_a_run_says_what_it_will_do_and_what_comes_next(
    finished_run: Finished, run_folder: Path
) -> None:
    said = finished_run.stdout
    start, _, end = said.partition("run folder")
    for words in ("digits: 1,400 images 1x28x28", "scikit-learn", "CPU x 1", "32-true"):
        assert words in start
    for network in ("generator", "discriminator"):
        (line,) = [line for line in start.splitlines() if line.startswith(network)]
        assert "parameters" in line
    folder = run_folder.relative_to(finished_run.cwd)
    for words in (f"{folder}/generator.safetensors", f"{folder}/samples/000000064.png"):
        assert words in end
    assert f"python sample.py generator={folder}" in end
    assert "tensorboard --logdir outputs" in end
    assert "Traceback" not in finished_run.stderr


def test_resume_goes_on_in_the_same_folder_even_if_it_was_moved(
    finished_run: Finished, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(finished_run.cwd / "outputs", tmp_path / "outputs")
    (folder,) = (tmp_path / "outputs").glob("*/*")
    name = str(folder.relative_to(tmp_path))
    done = command(f"resume={name}", "trainer.max_epochs=3")
    assert done.status == 0, done.err
    assert list((tmp_path / "outputs").glob("*/*")) == [folder]
    assert read_generator(folder)[1].images_seen == 96
    assert (folder / "samples" / "000000096.png").exists()
    assert sorted(set(axis(folder))) == list(range(8, 97, 8))
    before = MetricsCSV(str(finished_run.run_folders[0])).column("loss/D")
    assert MetricsCSV(str(folder)).column("loss/D")[: len(before)] == before
    steps = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert steps["optimizer_states"][0]["state"][0]["step"] == 12
    assert config_of(folder)["trainer"]["max_epochs"] == 3
    assert config_of(folder)["model"]["num_classes"] == 10


@pytest.mark.fault(16)
def test_missing_data_falls_back_to_digits_and_says_so_everywhere(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, value in (NO_NETWORK | {"GAN_DATA_DIR": str(empty)}).items():
        monkeypatch.setenv(name, value)
    done = command(*TINY[1:], "data=mnist")
    assert done.status == 0, done.err
    (warning,) = [line for line in done.out.splitlines() if "WARNING" in line]
    assert f"mnist is not in {empty}" in warning
    assert "refused" in warning
    assert "digits" in warning
    assert "digits: 1,500 images" in done.out
    (folder,) = (tmp_path / "outputs").glob("*/*")
    assert config_of(folder)["data"]["name"] == "digits"
    assert read_generator(folder)[1].dataset == "digits"
    checkpoint = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["config"]["data"]["name"] == "digits"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data=mnist", "data.on_missing=error"], ["mnist is not in", "refused", "data.root"]),
        (["data=digits", "optimizer.learning_rate=1"], ["learning_rate"]),
        (["data=digits", "optimizer.lr=-1", "d_steps=0"], ["optimizer.lr=-1", "d_steps=0"]),
        (["resume=outputs/nowhere"], ["outputs/nowhere", "no run is there"]),
    ],
    ids=["missing data", "misspelt key", "bad values", "nothing to resume"],
)
def test_bad_input_ends_with_2_and_leaves_no_folder(
    overrides: list[str],
    words: list[str],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (NO_NETWORK | {"GAN_DATA_DIR": str(tmp_path / "empty")}).items():
        monkeypatch.setenv(name, value)
    done = command(*overrides)
    assert done.status == 2
    for word in words:
        assert word in done.err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.fault(13, 14)
def test_a_sweep_on_two_devices_runs_each_job_once_in_one_folder(tmp_path: Path) -> None:
    """As a user starts it; the ranks of a job share a run, its folder and its curves."""
    done = run_script(
        tmp_path, "train.py", "-m", "loss=hinge,nonsaturating", *TINY, "trainer.devices=2"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("8 images x 2 devices = 16 images") == 2
    (sweep,) = done.run_folders
    jobs = sorted(path for path in sweep.iterdir() if path.is_dir())
    losses = [config_of(job)["loss"]["_target_"].rpartition(".")[2] for job in jobs]
    assert losses == ["Hinge", "NonSaturating"]
    for job in jobs:
        assert axis(job) == [16, 32, 48, 64]
        curves = EventAccumulator(str(job)).Reload()
        assert [e.step for e in curves.Scalars("loss/D")] == [16, 32, 48, 64]
        assert read_generator(job)[1].images_seen == 64
        assert (job / "checkpoints" / "last.ckpt").exists()


def test_help_shows_groups_and_examples(tmp_path: Path) -> None:
    done = run_script(tmp_path, "train.py", "--help")
    assert done.returncode == 0
    for group in ("data: ", "loss: ", "model: ", "optimizer: ", "penalty: "):
        assert group in done.stdout
    assert done.stdout.count("python train.py") >= 5
    assert done.run_folders == []


@pytest.mark.fault(40)
def test_a_sweep_goes_on_after_a_wrong_job_and_ends_with_2(
    command: Command, tmp_path: Path
) -> None:
    done = command("-m", *TINY, "data.batch_size=99999,8")
    assert done.status == 2
    assert "job 0: data.batch_size=99999" in done.err
    (sweep,) = (tmp_path / "outputs").glob("*/*")
    (good,) = (path for path in sweep.iterdir() if path.is_dir())
    assert (good / "generator.safetensors").exists()


OWN_LOSS = """
from torch import Tensor
from gan_lightning.losses import Loss


class Quadratic(Loss):
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return (real_logits - 1).square().mean() + (fake_logits + 1).square().mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return (fake_logits - 1).square().mean()
"""


def test_a_loss_of_ones_own_is_two_files(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf" / "loss").mkdir(parents=True)
    (tmp_path / "conf" / "loss" / "quadratic.yaml").write_text("_target_: own_loss.Quadratic\n")
    (tmp_path / "own_loss.py").write_text(OWN_LOSS)
    monkeypatch.syspath_prepend(str(tmp_path))
    where = ("--config-dir", str(tmp_path / "conf"))
    ended = command(*where, "loss=quadratic", *TINY, "hydra.run.dir=run")
    assert ended.status == 0, ended.err
    assert config_of(tmp_path / "run")["loss"]["_target_"] == "own_loss.Quadratic"
    assert axis(tmp_path / "run")[-1] == 32
