"""Networks from outside the package: trained as any, read only if the user names them."""

import re
from pathlib import Path

import pytest
import torch
from starlette.testclient import TestClient

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import read_judge
from gan_lightning.export.generator_file import load_generator, read_generator
from gan_lightning.page.serve import make_page
from gan_lightning.sampling.draw import sample
from tests.conftest import run_script
from tests.page.conftest import png_of_one
from tests.untrusted import planted as p
from tests.untrusted.own import OwnDiscriminator, OwnGenerator

OWN, D = "tests.untrusted.own.OwnGenerator", "tests.untrusted.own.OwnDiscriminator"
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
    assert isinstance(load_generator(file, trust=["no.such.Thing", OWN]), OwnGenerator)


@pytest.mark.parametrize("trust", [None, "", "tests.untrusted.own.Other", "OwnGenerator", "os"])
def test_named_by_the_file_alone(file: Path, trust: str | None) -> None:
    way = f"trust=[{trust},{OWN}]" if trust else f"trust={OWN}"
    with pytest.raises(UserError, match=re.escape(way)):
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
    own += [f"model.discriminator._target_={D}"]
    extra = ("width", "batch_norm", "minibatch_stddev", "spectral_norm")
    own += [f"~model.discriminator.{name}" for name in extra]
    place = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = run_script(
        tmp_path, "train.py", "data=digits", "debug=fast", "model.num_classes=0", *own, **place
    )
    assert done.returncode == 0, done.stderr
    (run,) = (path.parent for path in tmp_path.glob("outputs/*/*/generator.safetensors"))
    assert isinstance(read_judge(run, trust=[OWN, D]).discriminator, OwnDiscriminator)
    drawn = []
    for path in (run, run / "checkpoints" / "last.ckpt"):
        with pytest.raises(UserError, match=f"trust={OWN}"):
            read_generator(path)
        drawn.append(sample(read_generator(path, trust=OWN)[0], 3)[0])
    assert torch.equal(*drawn)
    page = TestClient(make_page(run, trust=[OWN, D]).app(), base_url="http://localhost")
    assert 0 < page.post("/api/drawing", content=png_of_one()).json()["pFake"][0] < 1
    for script, asked in (
        ("sample.py", ("output=x.png", f"trust={OWN}")),
        ("sample.py", ("output=y.png", "mode=judge", f"trust=[{OWN},{D}]")),
        ("evaluate.py", ("num_samples=100", f"trust=[{D},{OWN}]")),
    ):
        done = run_script(tmp_path, script, *asked, **place)
        assert done.returncode == 0, done.stderr
    done = run_script(tmp_path, "sample.py", "mode=judge", f"trust={OWN}", **place)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"trust=[{OWN},{D}]" in done.stderr
    done = run_script(tmp_path, "sample.py", f"trust=[{OWN},3]", **place)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "must be a name, or a list of names" in done.stderr
