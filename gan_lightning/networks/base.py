"""The contract of the two networks, and the closed list of generators a file may name."""

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from typing import Any, TypeVar

from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.networks.codes import ClusterCode, LatentCodes
from gan_lightning.ranges import Codes, Count, Labels, Whole, validated


@validated
class Generator(nn.Module):
    """`generator(z[B, L], y[B] | None) -> image[B, C, H, W]` in [-1, 1].

    Constructor arguments are plain numbers, strings and lists, so that a generator file can record
    them; a generator that was read from a file has the file's `metadata`. A subclass describes
    the arguments that it adds.

    Args:
        latent_dim: L, the length of z.
        image_shape: [C, H, W], with H = W.
        num_classes: how many labels y there are; 0: unconditional, y is None.
        codes: how many categories and continuous codes z holds, see `LatentCodes`.
        clusters: how many clusters of the training images z chooses from, see `ClusterCode`;
            without any meaning for a generator that has labels or codes.
    """

    metadata: Any = None

    def __init__(
        self,
        latent_dim: Count,
        image_shape: Sequence[int],
        num_classes: Labels = 0,
        codes: Codes = (0, 0),
        clusters: Whole = 0,
    ) -> None:
        super().__init__()
        clusters = 0 if num_classes or sum(codes) else clusters
        self.clusters = ClusterCode(clusters) if clusters else None
        self.latent_codes = LatentCodes(latent_dim, *codes)
        self.latent_dim = latent_dim
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    def truncate(self, strength: float) -> None:
        """From now on draw more typical images: the closer `strength` is to 0, the more typical.

        Raises:
            UserError: the network has no truncation, or `strength` is not in [0, 1].
        """
        raise UserError(f"truncation={strength}: {type(self).__name__} has none")


@validated
class Discriminator(nn.Module):
    """`discriminator(x[B, C, H, W], y[B] | None) -> logits[B]`; a logit is never a probability.

    A subclass sets `head` and implements `features`, so that losses can add heads of their own. A
    subclass that only implements `forward` works with the losses that need logits alone.

    Args:
        num_classes: as of the generator; 0: D does not look at labels.
    """

    head: nn.Module

    def __init__(self, image_shape: Sequence[int], num_classes: Labels = 0) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes

    def features(self, x: Tensor) -> Tensor:
        """Map images to what the head looks at, [B, F]."""
        raise NotImplementedError

    @property
    def num_features(self) -> int:
        return self.head.features  # type: ignore[return-value]  # an int, not a module

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Map images (and labels) to one logit per image: above 0 means "real"."""
        return self.head(self.features(x), y)


class ProjectionHead(nn.Module):
    """Features[B, F] (and y) -> logits[B]: w.h + b, plus <embedding(y), h> when conditional.

    The embedding starts small: torch's N(0, 1) would hide w.h at first.

    Source: Miyato & Koyama 2018, cGANs with Projection Discriminator, eq. 3.
    """

    def __init__(self, features: int, num_classes: int = 0) -> None:
        super().__init__()
        self.features = features
        self.linear = nn.Linear(features, 1)
        self.embedding = nn.Embedding(num_classes, features) if num_classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, 0.0, 0.02)

    def forward(self, h: Tensor, y: Tensor | None = None) -> Tensor:
        logits = self.linear(h).squeeze(1)
        if self.embedding is not None:
            logits = logits + (self.embedding(y) * h).sum(dim=1)
        return logits


Network = TypeVar("Network", bound=nn.Module)


def network_classes(kind: type[Network]) -> dict[str, type[Network]]:
    """Return all classes of a kind that live in this package and can be built, by name."""
    package = importlib.import_module(__package__)  # its path may have more than one folder
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{__package__}.{name}") for name in names]
    return {
        cls.__name__: cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, kind)
        and cls is not kind
        and not inspect.isabstract(cls)
        and cls.__module__ == module.__name__
    }


def generator_classes() -> dict[str, type[Generator]]:
    """Return all `Generator` classes that live in this package and can be built, by name."""
    return network_classes(Generator)


def find_network(name: str, kind: type[Network]) -> type[Network]:
    """Return the class of that name and kind; KeyError if none lives in this package."""
    classes = network_classes(kind)
    if name not in classes:
        word = kind.__name__.lower()
        raise KeyError(f"unknown {word} class {name!r}; known: {', '.join(sorted(classes))}")
    return classes[name]


def network_path(target: str, kind: type[Network]) -> str:
    """Return the short name of a `_target_` that is a network of this package, else itself."""
    for name, cls in network_classes(kind).items():
        if target in (f"{__package__}.{name}", f"{cls.__module__}.{name}"):
            return name
    return target


def parameter_count(network: nn.Module) -> int:
    """Return how many parameters a network has; what is fitted is in buffers."""
    tensors: list[Tensor] = [*network.parameters()] or [*network.buffers()]
    return sum(tensor.numel() for tensor in tensors)
