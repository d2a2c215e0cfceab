"""An exported ONNX file, drawn with by onnxruntime, in the place of the generator that it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.export.metadata import GeneratorMetadata, checked
from gan_lightning.export.tensor_file import KEY
from gan_lightning.networks.base import Generator
from gan_lightning.system.untrusted import printable, strict_json

ONNX_FILE = "generator.onnx"  # in an exported folder
INSTALL = "pip install -c constraints.txt -e '.[onnx]'"
Draw = Callable[[Tensor, Tensor | None], Tensor]  # z[B, L], y[B] -> images[B, C, H, W]
_BESIDE = ("truncation", "opset")  # what the metadata have beside those of a generator's file


class OnnxGenerator(Generator):
    """Draws by onnxruntime, on the CPU; it has no weights and no gradients, and truncates no more.

    Args:
        draw: z[B, L], y[B] -> images[B, C, H, W].
    """

    def __init__(self, draw: Draw, metadata: GeneratorMetadata) -> None:
        m = metadata
        codes = m.arguments.get("codes", (0, 0))
        super().__init__(m.latent_dim, m.image_shape, m.num_classes, codes)
        self.draw, self.metadata = draw, metadata

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.draw(z.detach(), y)


def open_onnx(path: Path, threads: int = 1) -> tuple[Draw, dict[str, str]]:
    """Return (what draws with an ONNX file, by onnxruntime on the CPU; the file's metadata).

    Raises:
        UserError: onnxruntime is missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"{path} needs onnxruntime ({error}): {INSTALL}") from error

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def draw(z: Tensor, y: Tensor | None) -> Tensor:
        inputs = {"z": z.numpy()} | ({} if y is None else {"y": y.numpy()})
        return torch.from_numpy(session.run(["images"], inputs)[0])

    return draw, session.get_modelmeta().custom_metadata_map


def onnx_of(path: Path) -> Path | None:
    """Return the ONNX file that a path is, or that is in an exported folder; None if none is."""
    file = path / ONNX_FILE if path.is_dir() else path
    return file if file.suffix == ".onnx" and file.is_file() else None


def read_onnx(file: Path) -> tuple[OnnxGenerator, GeneratorMetadata, Path]:
    """Read an ONNX file that `gan_lightning.export` wrote; as of `read_generator`.

    Raises:
        UserError: it is none, or onnxruntime is missing.
    """
    try:
        draw, kept = open_onnx(file, torch.get_num_threads())
        fields = strict_json(kept[KEY])
        metadata = checked(GeneratorMetadata(**{k: fields[k] for k in fields if k not in _BESIDE}))
        generator = OnnxGenerator(draw, metadata).eval()
        _try(generator)
    except UserError:
        raise
    except Exception as error:  # onnxruntime's have no common class
        reason = printable(str(error).strip().partition("\n")[0])[:300]
        raise UserError(f"{file} is not an ONNX file of this project ({reason})") from error
    return generator, metadata, file


def _try(generator: Generator) -> None:
    """Raise ValueError if the program draws other images than its metadata say."""
    y = torch.tensor(generator.metadata.labels[:1]) if generator.num_classes else None
    drawn: Any = generator(torch.zeros(1, generator.latent_dim), y)
    if tuple(drawn.shape) != (1, *generator.image_shape) or drawn.dtype != torch.float32:
        raise ValueError(f"it draws {drawn.dtype} of {list(drawn.shape)}")
