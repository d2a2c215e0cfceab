"""From metadata and tensors to a network; time and memory are bounded by the size of the file."""

import importlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.networks.base import Generator, Network, find_network
from gan_lightning.sampling.draw import CHUNK

MAX_BYTES = 2 << 30  # of a file, and of any tensor between z and the images of one chunk
PADDING = 8  # pixels that an image has more within a network, at most
Trust = str | Sequence[str] | None  # the dotted paths of classes whose code may run
_RANDOM = (torch.ops.aten.normal_.default, torch.ops.aten.uniform_.default)


def trusted(trust: Trust) -> tuple[str, ...]:
    """Return the paths that `trust` names: one, several or none."""
    return tuple(filter(None, [trust] if isinstance(trust, str) else trust or ()))


def find_class(name: str, trust: Trust, kind: type[Network]) -> type[Network]:
    """Return the class that a file names: one of this package's, or one trusted by the user.

    Nothing is imported but what `trust` says, and that only if the file asks for it; a name that
    is neither is a KeyError.
    """
    if name in trusted(trust):
        return _import(name, kind)
    try:
        return find_network(name, kind)
    except KeyError as error:
        if "." not in name:
            raise
        known, word = error.args[0].partition("; ")[2], kind.__name__.lower()
        way = f"[{','.join([*trusted(trust), name])}]" if trusted(trust) else name
        raise KeyError(
            f"unknown {word} class {name!r}, not of this package ({known}); if you trust "
            f"its code, say so by trust={way}"
        ) from None


def _import(path: str, kind: type[Network]) -> type[Network]:
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"trust={path}: {error}; is it on the PYTHONPATH?") from error
    if not isinstance(cls, type) or not issubclass(cls, kind) or cls is kind:
        word = f"gan_lightning.networks.{kind.__name__}"
        raise UserError(f"trust={path}: must be a subclass of {word}")
    return cls


@contextmanager
def _at_most(count: int) -> Iterator[None]:
    """Raise ValueError in a constructor that registers more parameters and layers than `count`."""
    seen = 0

    def look(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > count:
            raise ValueError("its arguments ask for more layers than the file has tensors")

    handles = [
        register_module_parameter_registration_hook(look),
        register_module_module_registration_hook(look),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Watch(TorchDispatchMode):
    """Refuses to make a tensor beyond a limit of bytes, and makes no random numbers.

    Of meta tensors, torch draws these with the help of its compiler, which takes seconds to
    import; the switch keeps it from doing so for this mode itself.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _RANDOM:
            return args[0]
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.numel() * leaf.element_size() > self.limit:
                raise ValueError(f"{CHUNK} samples would need more than {MAX_BYTES >> 30} GiB")
        return result


def blank(
    name: str,
    arguments: dict[str, Any],
    tensors: int,
    trust: Trust,
    kind: type[Network],
) -> Network:
    """Return the named network without weights (of a trusted class: with its own).

    It is built on the meta device, so wrong sizes cost no memory; the number of layers is bounded
    by `tensors`, the number of tensors in the file. A constructor's complaint is a ValueError.
    """
    cls = find_class(name, trust, kind)
    if name in trusted(trust):  # its code is run anyway, and need not know of the meta device
        return cls(**arguments)
    try:
        with torch.device("meta"), _Watch(math.inf), _at_most(16 * tensors + 256):
            return cls(**arguments)
    except Exception as error:  # a stranger's arguments can make a constructor raise anything
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ValueError(reason) from error


def largest_tensor(generator: Generator) -> int:
    """Return a bound on the bytes of any tensor between z and the images of one chunk.

    Weights alone tell it: no layer's output has more channels than one of its weights has rows or
    columns, or is wider than the images and some padding; and none is larger than the weights
    themselves if each sample has its own.
    """
    area = math.prod(side + PADDING for side in generator.image_shape[1:])
    sizes = [generator.num_classes, area * generator.image_shape[0]]
    for weight in generator.state_dict().values():
        channels = max(weight.shape[:2], default=0)
        sizes += [weight.numel(), channels * (area if weight.dim() == 4 else 1)]
    return 8 * CHUNK * max(sizes)


def check_fit(generator: Generator, metadata: GeneratorMetadata) -> None:
    """Raise ValueError if a network differs from its metadata or needs too much memory."""
    said = (metadata.latent_dim, tuple(metadata.image_shape), metadata.num_classes)
    if said != (generator.latent_dim, generator.image_shape, generator.num_classes):
        raise ValueError("latent_dim, image_shape or num_classes are not the network's")
    blank = any(weight.is_meta for weight in generator.state_dict().values())
    if not blank or largest_tensor(generator) <= MAX_BYTES:  # a look at each layer takes seconds
        return
    with torch.inference_mode(), torch.device("meta"), _Watch(MAX_BYTES):
        y = torch.zeros(CHUNK, dtype=torch.int64) if generator.num_classes else None
        images = generator.eval()(torch.zeros(CHUNK, generator.latent_dim), y)
    if tuple(images.shape[1:]) != generator.image_shape:
        raise ValueError(f"it draws images of {list(images.shape[1:])}")


def check_shapes(generator: nn.Module, found: dict[str, tuple[int, ...]], name: str) -> None:
    """Raise ValueError if a tensor in a file has another shape than the network's."""
    expected = {key: tuple(value.shape) for key, value in generator.state_dict().items()}
    wrong = sorted(set(expected.items()) ^ set(found.items()))
    if wrong:
        raise ValueError(f"tensor {wrong[0][0][:100]!r} does not fit {name}")


def check_cost(network: nn.Module, shape: tuple[int, ...], labels: int) -> None:
    """Raise ValueError if a discriminator needs too much memory, or has not one logit an image."""
    with torch.inference_mode(), torch.device("meta"), _Watch(MAX_BYTES):
        y = torch.zeros(CHUNK, dtype=torch.int64) if labels else None
        logits = network.eval()(torch.zeros(CHUNK, *shape), y)
    if tuple(logits.shape) != (CHUNK,):
        raise ValueError(f"its answers are {list(logits.shape)}")


def fill(generator: Network, tensors: dict[str, Tensor]) -> Network:
    """Give a network its weights, ValueError if of other types; in eval mode, without gradients."""
    for key, value in generator.state_dict().items():
        if tensors[key].dtype != value.dtype:
            raise ValueError(f"tensor {key!r} is {tensors[key].dtype}, not {value.dtype}")
    # In one layout, as in training: in another some processors round otherwise, and a generator's
    # file has another than a checkpoint. Channels last is a third faster on a CPU.
    learnt = {name for name, _ in generator.named_parameters()}
    alike = {k: v.contiguous(memory_format=layout(v, k in learnt)) for k, v in tensors.items()}
    generator.load_state_dict(alike, assign=True)
    return generator.eval().requires_grad_(False)


def layout(tensor: Tensor, parameter: bool = True) -> torch.memory_format:
    """Return that of a network's tensor: channels last of a convolution's weights."""
    convolution = parameter and tensor.dim() == 4 and tensor.shape[1] > 1
    return torch.channels_last if convolution else torch.contiguous_format
