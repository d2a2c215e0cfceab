"""Every architecture keeps the two contracts of DESIGN.md."""

import importlib
import inspect
import json
import pkgutil
from typing import Any

import pytest
import torch

from gan_lightning import networks
from gan_lightning.networks import Density, Discriminator, Generator, find_network
from gan_lightning.networks.base import generator_classes
from tests.tiny import QUICK, fitted

LATENT = 16
# Small, so that the tests are quick; what a class does not take is left out.
SMALL = {"width": 8, "hidden": [16, 32], "channels": [8, 8], "latent_dim": LATENT} | QUICK


def classes(base: type) -> list[type]:
    """All that live in the package, exported or not: a new module is tested at once."""
    modules = [
        importlib.import_module(f"{networks.__name__}.{info.name}")
        for info in pkgutil.iter_modules(networks.__path__)
    ]
    return [
        cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, base)
        and cls is not base
        and not inspect.isabstract(cls)
        and cls.__module__ == module.__name__
    ]


GENERATORS = pytest.mark.parametrize("cls", classes(Generator), ids=lambda cls: cls.__name__)
DISCRIMINATORS = pytest.mark.parametrize(
    "cls", classes(Discriminator), ids=lambda cls: cls.__name__
)
SIZES = pytest.mark.parametrize("size", [28, 32, 64])
CHANNELS = pytest.mark.parametrize("channels", [1, 3, 4])
CLASSES = pytest.mark.parametrize("num_classes", [0, 10])


def build(cls: type, *arguments: object) -> Any:
    taken = inspect.signature(cls).parameters
    torch.manual_seed(0)
    network = cls(
        **dict(zip(("image_shape", "num_classes"), arguments, strict=False)),
        **{k: v for k, v in SMALL.items() if k in taken},
    )
    return fitted(network) if isinstance(network, Density) else network


def labels(num_classes: int, count: int = 4) -> torch.Tensor | None:
    return torch.arange(count) if num_classes else None


@GENERATORS
@SIZES
@CHANNELS
@CLASSES
def test_generator_draws_images_in_range(
    cls: type, size: int, channels: int, num_classes: int
) -> None:
    network = build(cls, [channels, size, size], num_classes)
    images = network(100 * torch.randn(4, network.latent_dim), labels(num_classes))
    assert images.shape == (4, channels, size, size)
    assert images.abs().max() <= 1
    assert len(torch.unique(images.flatten(1), dim=0)) == 4, "it ignores the latent"


@GENERATORS
def test_generator_listens_to_the_label(cls: type) -> None:
    network = build(cls, [1, 28, 28], 10).eval()
    z = torch.randn(1, network.latent_dim).repeat(4, 1)
    images = network(z, labels(10)).flatten(1)
    assert (torch.pdist(images) > 1e-4).all()
    with pytest.raises(ValueError, match="label"):
        network(z, None)


@GENERATORS
@CLASSES
def test_eval_generator_treats_samples_one_by_one(cls: type, num_classes: int) -> None:
    network = build(cls, [1, 28, 28], num_classes).eval()
    z, y = torch.randn(4, network.latent_dim), labels(num_classes)
    alone = network(z[2:3], y[2:3] if num_classes else None)
    torch.testing.assert_close(alone, network(z, y)[2:3], rtol=1e-4, atol=1e-5)


@DISCRIMINATORS
@SIZES
@CHANNELS
@CLASSES
def test_discriminator_gives_one_logit_an_image(
    cls: type, size: int, channels: int, num_classes: int
) -> None:
    network = build(cls, [channels, size, size], num_classes)
    images = (2 * torch.rand(4, channels, size, size) - 1).requires_grad_()
    logits = network(images, labels(num_classes))
    assert logits.shape == (4,)
    (gradient,) = torch.autograd.grad(logits.sum(), images)
    assert (gradient.flatten(1).abs().sum(1) > 0).all()


@DISCRIMINATORS
def test_discriminator_gives_logits_not_probabilities(cls: type) -> None:
    """Probabilities would be within [0, 1]; logits of large inputs are not."""
    network = build(cls, [1, 28, 28]).eval()
    logits = network(1e4 * torch.randn(64, 1, 28, 28))
    assert logits.max() > 1 or logits.min() < 0


@DISCRIMINATORS
def test_discriminator_listens_to_the_label(cls: type) -> None:
    network = build(cls, [1, 28, 28], 10).eval()
    image = torch.rand(1, 1, 28, 28).expand(4, -1, -1, -1)
    assert (torch.pdist(network(image, labels(10))[:, None]) > 0).all()


@GENERATORS
def test_a_file_can_describe_the_generator(cls: type) -> None:
    """By a name on the closed list and by plain arguments that survive JSON."""
    assert find_network(cls.__name__, Generator) is cls
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.default is not parameter.empty:
            json.dumps(parameter.default)


def test_the_list_of_generators_is_closed() -> None:
    assert {"DCGANGenerator", "MLPGenerator"} <= set(generator_classes())
    for name in ("Generator", "DCGANDiscriminator", "torch.nn.Linear", "os.system", ""):
        with pytest.raises(KeyError, match=r"unknown generator.*DCGANGenerator"):
            find_network(name, Generator)
