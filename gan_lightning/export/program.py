"""From a generator to a program that runs without this package: ONNX or torch.export."""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan_lightning.errors import UserError
from gan_lightning.export.onnx_file import INSTALL, Draw
from gan_lightning.export.tensor_file import KEY
from gan_lightning.networks.base import Generator
from gan_lightning.sampling.draw import sample_labels
from gan_lightning.sampling.latents import sample_latents

OPSET = 20  # with IR version 10: for onnxruntime 1.18 and newer
BATCHES = (1, 3, 100)  # that the result is compared at
DIFFERS = 1e-3  # a quarter of a grey level is 2e-3; float32 rounds by 1e-6 or so
THRESHOLDS = 2  # images of 104 that may differ: a choice of a density may fall on a threshold

_FLOAT64 = 11  # ONNX's code of the type


class _Conditional(nn.Module):
    """The generator with both arguments named and asked for, as a program's inputs are."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.generator(z, y).float()


class _Unconditional(_Conditional):
    def forward(self, z: Tensor) -> Tensor:  # type: ignore[override]  # no labels
        return self.generator(z, None).float()


def _traceable(generator: Generator) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return (what is exported, in eval mode; inputs to trace it with).

    Of a batch of two: torch takes a size of one for a constant.
    """
    z = torch.zeros(2, generator.latent_dim)
    if generator.num_classes:
        return _Conditional(generator).eval(), (z, torch.zeros(2, dtype=torch.int64))
    return _Unconditional(generator).eval(), (z,)


def require_onnx() -> None:
    """Raise UserError if what ONNX files are written and checked with is not installed."""
    try:
        for name in ("onnx", "onnxruntime", "onnxscript"):
            import_module(name)
    except ImportError as error:
        raise UserError(f"format=onnx: {error}: {INSTALL}, or choose format=torch") from error


def write_onnx(path: Path, generator: Generator, about: dict[str, Any]) -> None:
    """Write `generator` as one ONNX file: z float32[B, L] and y int64[B] -> images.

    `about` goes into its metadata as JSON, under `gan_lightning`. Names and paths of this machine,
    which the exporter notes beside every node, do not.

    Raises:
        UserError: ONNX has no such operations, or the network is none that can be traced.
    """
    module, inputs = _traceable(generator)
    names = ["z", "y"][: len(inputs)]
    with _explained(generator, "onnx"):
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=names,
            output_names=["images"],
            dynamic_shapes={name: {0: "batch"} for name in names},
            custom_translation_table={torch.ops.aten.cumsum.default: _cumsum},
            verbose=False,
        )
        assert program is not None
        model = program.model
        model.producer_name = "gan-lightning"
        model.metadata_props.clear()
        model.metadata_props[KEY] = json.dumps(about, sort_keys=True)
        graph = model.graph
        graph.metadata_props.clear()
        for value in (*graph.inputs, *graph.initializers.values()):
            value.metadata_props.clear()
        for node in graph.all_nodes():
            node.metadata_props.clear()
            for value in node.outputs:
                value.metadata_props.clear()
        program.save(str(path), external_data=False)


def _cumsum(self: Any, dim: Any, dtype: Any = None) -> Any:
    """Sum up in float64 and round each sum, as torch does on the CPU; ONNX rounds each step.

    The bins of naive Bayes may hold a hundred thousandth, which such steps would change visibly.
    """
    import onnxscript

    op: Any = onnxscript.opset20
    sums = op.CumSum(op.Cast(self, to=_FLOAT64), dim)
    return op.Cast(sums, to=int(dtype if dtype is not None else self.dtype))


def write_program(path: Path, generator: Generator, about: dict[str, Any]) -> None:
    """Write `generator` as a torch.export program, `about` in its extra file `gan_lightning.json`.

    Raises:
        UserError: the network is none that can be traced.
    """
    module, inputs = _traceable(generator)
    with _explained(generator, "torch"):
        shapes = tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs)
        try:
            program = torch.export.export(module, inputs, dynamic_shapes=shapes)
        except Exception:  # its other way to trace understands len(z), say, and is slower
            program = torch.export.export(module, inputs, dynamic_shapes=shapes, strict=True)
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # paths of this machine
        extra = {"gan_lightning.json": json.dumps(about, sort_keys=True)}
        torch.export.save(program, path, extra_files=extra)


@contextmanager
def _explained(generator: Generator, kind: str) -> Iterator[None]:
    """Without the exporters' warnings; what they cannot do is a UserError with its first line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # of torch's tracing, of ONNX, and of a class from elsewhere
        cause = error.__cause__ or error
        reason = str(cause).strip().partition("\n")[0][:300] or type(cause).__name__
        raise UserError(
            f"{type(generator).__name__} cannot be exported by format={kind}: {reason}; its "
            "forward has to be tensor operations alone, without branches on their values"
        ) from error


def open_program(path: Path) -> Draw:
    """Return what draws with a torch.export program. Only for files of one's own: it unpickles."""
    module = torch.export.load(path).module()
    return lambda z, y: module(z) if y is None else module(z, y)


@dataclass(frozen=True)
class Differences:
    """Largest differences between two ways to draw, per image [N]."""

    images: Tensor

    @property
    def largest(self) -> float:
        """Of the images that do not differ by a choice."""
        alike = self.images[self.images <= DIFFERS]
        return float(alike.max()) if len(alike) else float(self.images.max())

    @property
    def chosen(self) -> int:
        """How many differ visibly: a choice fell on a threshold, if they are few."""
        return int((~(self.images <= DIFFERS)).sum())  # NaN is a difference

    def __str__(self) -> str:
        text = f"largest difference from torch {self.largest:.1e} in {len(self.images)} images"
        return text if not self.chosen else f"{text}, but {self.chosen} with another choice"


@torch.inference_mode()
def compare(
    draw: Draw, generator: Generator, labels: Sequence[int] = (), batches: Sequence[int] = BATCHES
) -> Differences:
    """Return how far `draw` is from the generator on the same latents, in each of some batches."""
    found, first = [], 0
    for count in batches:
        z = sample_latents(0, first, count, generator.latent_dim)
        y = sample_labels(first, count, labels) if generator.num_classes else None
        found.append((draw(z, y) - generator(z, y)).abs().flatten(1).amax(dim=1))
        first += count
    return Differences(torch.cat(found))


def checked(differences: Differences, name: str) -> Differences:
    """Return them; UserError if the exported generator draws other images."""
    if differences.chosen > THRESHOLDS:
        raise UserError(
            f"{name} cannot be exported: {differences.chosen} of {len(differences.images)} images "
            f"differ from torch's, by up to {float(differences.images.max()):.2g}; its forward has "
            "to be a function of z and y alone"
        )
    return differences
