"""What a network may need before it is given its weights: memory in proportion to its file."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import get_class
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gan_lightning.export import rebuild
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.export.rebuild import blank, check_fit, largest_tensor
from gan_lightning.networks import Generator, R3GANGenerator
from gan_lightning.sampling.draw import CHUNK
from tests.conftest import CONF, compose_config

MODELS = sorted(path.stem for path in CONF.glob("model/*.yaml"))


class Largest(TorchDispatchMode):
    """Keeps the bytes of the largest tensor that was made."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        sizes = [t.numel() * t.element_size() for t in tree_leaves(made) if isinstance(t, Tensor)]
        self.bytes = max(self.bytes, *sizes, 0)
        return made


@pytest.mark.parametrize("num_classes", [0, 10])
@pytest.mark.parametrize("resolution", [28, 32, 64])
@pytest.mark.parametrize("model", MODELS)
def test_no_tensor_is_larger_than_the_weights_tell(
    model: str, resolution: int, num_classes: int, tmp_path: Path
) -> None:
    """Drawing looks at the weights' shapes alone: to look at each layer would take seconds."""
    size = 1 if model == "toy" else resolution
    shape = (f"data.resolution={size}", f"model.num_classes={num_classes}")
    config = compose_config(f"run_dir={tmp_path}", "data=digits", f"model={model}", *shape)
    node = {**config.model.generator}
    with torch.device("meta"), torch.inference_mode():
        generator = get_class(node.pop("_target_"))(**node).eval()
        y = torch.zeros(CHUNK, dtype=torch.int64) if num_classes else None
        with Largest() as seen:
            generator(torch.zeros(CHUNK, generator.latent_dim), y)
    assert 0 < seen.bytes <= largest_tensor(generator)


def metadata_of(generator: Generator) -> GeneratorMetadata:
    return GeneratorMetadata(
        type(generator).__name__,
        {},
        generator.latent_dim,
        list(generator.image_shape),
        generator.num_classes,
        [],
        "digits",
        0,
    )


def test_few_weights_may_ask_for_much_memory() -> None:
    wide = {"latent_dim": 1, "image_shape": [1, 256, 256], "width": 4096, "max_width": 4096}
    wide |= {"blocks": 0}
    generator = blank("R3GANGenerator", wide, 100, None, Generator)
    assert isinstance(generator, R3GANGenerator)
    with pytest.raises(ValueError, match="100 samples would need more than 2 GiB"):
        check_fit(generator, metadata_of(generator))


def test_a_network_whose_weights_are_many_and_its_tensors_small_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the weights cannot tell, each layer is looked at."""
    small = {"latent_dim": 2, "image_shape": [1, 4, 4]}
    generator = blank("MLPGenerator", small, 100, None, Generator)
    monkeypatch.setattr(rebuild, "MAX_BYTES", largest_tensor(generator) - 1)
    check_fit(generator, metadata_of(generator))
