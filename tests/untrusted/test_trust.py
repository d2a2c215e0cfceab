"""Generators from outside the package: trained as any, read only if the user names them."""

from pathlib import Path

import pytest
import torch

from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import read_generator
from gan_lightning.sampling.draw import sample
from tests.conftest import run_script
from tests.untrusted import planted as p
from tests.untrusted.own import OwnGenerator

OWN = "tests.untrusted.own.OwnGenerator"
ARGUMENTS = {"latent_dim": 4, "image_shape": [1, 4, 4], "num_classes": 0, "gain": 2.0}
pytestmark = pytest.mark.fault(43)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    state = OwnGenerator(**ARGUMENTS).state_dict()
    return p.generator_file(tmp_path / "x.safetensors", state, class_name=OWN, arguments=ARGUMENTS)


def test_named_by_the_file_and_by_the_user(file: Path) -> None:
    generator, metadata, _ = read_generator(file, trust=OWN)
    assert (type(generator), metadata.class_name, generator.gain) == (OwnGenerator, OWN, 2.0)
    assert sample(generator, 3)[0].shape == (3, 1, 4, 4)


@pytest.mark.parametrize("trust", [None, "", "tests.untrusted.own.Other", "OwnGenerator", "os"])
def test_named_by_the_file_alone(file: Path, trust: str | None) -> None:
    with pytest.raises(UserError, match=f"trust={OWN}"):
        read_generator(file, trust)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("os.getcwd", "must be a subclass"),
        ("tests.untrusted.own.NotAGenerator", "must be a subclass"),
        ("gan_lightning.networks.base.Generator", "must be a subclass"),
        ("tests.untrusted.own.Missing", "no attribute"),
        ("nopackage.Class", "PYTHONPATH"),
    ],
)
def test_trusted_but_no_generator(tmp_path: Path, path: str, complaint: str) -> None:
    file = p.generator_file(tmp_path / "x.safetensors", class_name=path)
    with pytest.raises(UserError, match=complaint):
        read_generator(file, trust=path)


def test_trust_changes_nothing_for_files_of_this_package(tmp_path: Path) -> None:
    """The class named is not even imported."""
    file = p.generator_file(tmp_path / "x.safetensors")
    assert type(read_generator(file, trust="no.such.Thing")[0]).__name__ == "MLPGenerator"


def test_from_training_to_samples(tmp_path: Path) -> None:
    own = [f"model.generator._target_={OWN}", "+model.generator.gain=2.0"]
    own += [f"~model.generator.{name}" for name in ("width", "clusters", "codes")]
    place = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = run_script(
        tmp_path, "train.py", "data=digits", "debug=fast", "model.num_classes=0", *own, **place
    )
    assert done.returncode == 0, done.stderr
    (run,) = (path.parent for path in tmp_path.glob("outputs/*/*/generator.safetensors"))
    drawn = []
    for path in (run, run / "checkpoints" / "last.ckpt"):
        with pytest.raises(UserError, match=f"trust={OWN}"):
            read_generator(path)
        drawn.append(sample(read_generator(path, trust=OWN)[0], 3)[0])
    assert torch.equal(*drawn)
    done = run_script(tmp_path, "sample.py", f"trust={OWN}", "output=x.png", **place)
    assert done.returncode == 0, done.stderr
