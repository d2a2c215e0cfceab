"""Pages of small untrained generators, and of the finished run."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lightning import networks
from gan_lightning.export.generator_file import save_generator
from gan_lightning.export.metadata import GeneratorMetadata

pytest.importorskip("starlette", reason="the page needs pip install -e '.[page]'")
pytest.importorskip("uvicorn", reason="the page needs pip install -e '.[page]'")

# Class, arguments beside latent_dim and image_shape.
KINDS = {
    "labels": ("DCGANGenerator", [1, 28, 28], {"num_classes": 10, "width": 2}),
    "codes": ("DCGANGenerator", [1, 28, 28], {"codes": [10, 2], "width": 2}),
    "plain": ("MLPGenerator", [3, 32, 32], {"hidden": [8]}),
    "styles": (
        "StyleGAN2Generator",
        [1, 28, 28],
        {"num_classes": 3, "width": 4, "max_width": 8, "mapping_layers": 1},
    ),
    "points": ("ToyGenerator", [2, 1, 1], {"hidden": [8]}),
}
LATENT = 16


def write_generator(folder: Path, kind: str, dataset: str = "mnist") -> Path:
    """Write a generator file of that kind."""
    name, shape, more = KINDS[kind]
    torch.manual_seed(0)
    arguments = {"latent_dim": LATENT, "image_shape": shape, **more}
    generator = getattr(networks, name)(**arguments)
    labels = list(range(more.get("num_classes", 0)))  # type: ignore[call-overload]
    metadata = GeneratorMetadata(
        class_name=name,
        arguments=arguments,
        latent_dim=LATENT,
        image_shape=shape,
        num_classes=len(labels),
        classes=labels,
        dataset=dataset,
        images_seen=0,
    )
    path = folder / f"{kind}.safetensors"
    save_generator(path, generator, metadata)
    return path


@pytest.fixture
def generator_file(tmp_path: Path) -> Callable[..., Path]:
    return lambda kind, dataset="mnist": write_generator(tmp_path, kind, dataset)


def png_of_one(side: int = 280) -> bytes:
    """Return a drawing of a 1, off the middle, white on black."""
    ink = np.zeros((side, side), np.uint8)
    ink[side // 8 : side // 2, side // 8 : side // 8 + side // 14] = 255
    file = BytesIO()
    Image.fromarray(ink).save(file, "PNG")
    return file.getvalue()
