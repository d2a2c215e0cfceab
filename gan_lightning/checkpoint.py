"""Generator files, and reading generators from run folders and checkpoints.

A generator file is a safetensors file: the averaged generator's tensors and one JSON string of
metadata. The network is built from a closed list of class names with plain arguments; nothing
in a file is ever imported, unpickled or instantiated.
"""

import dataclasses
import hashlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan_lightning.callbacks.context import context
from gan_lightning.checkpoint_io import read_checkpoint
from gan_lightning.errors import UserError
from gan_lightning.files import atomic_write
from gan_lightning.networks.base import Generator, find_generator

FORMAT_VERSION = 1
GENERATOR_FILE = "generator.safetensors"


@dataclass(frozen=True)
class GeneratorMetadata:
    """What a generator file says of itself, beside the tensors."""

    class_name: str
    arguments: dict[str, Any]
    latent_dim: int
    image_shape: list[int]
    num_classes: int
    classes: list[int]
    dataset: str
    images_seen: int
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def labels(self) -> list[int]:
        """The labels that may be asked for: none if unconditional."""
        return self.classes if self.num_classes else []


def constructor_arguments(cls: type[Generator], given: dict[str, Any]) -> dict[str, Any]:
    """Return all plain constructor arguments, defaults included: a default may change later."""
    bound = inspect.signature(cls).bind(**given)
    bound.apply_defaults()
    return {k: list(v) if isinstance(v, tuple) else v for k, v in bound.arguments.items()}


def metadata_from_config(
    config: dict[str, Any], images_seen: int, scores: dict[str, float]
) -> GeneratorMetadata:
    """Return the metadata of the generator that a run's plain, resolved config describes."""
    node, data = dict(config["model"]["generator"]), config["data"]
    class_name = node.pop("_target_").rpartition(".")[2]
    arguments = constructor_arguments(find_generator(class_name), node)
    return GeneratorMetadata(
        class_name=class_name,
        arguments=arguments,
        latent_dim=arguments["latent_dim"],
        image_shape=list(arguments["image_shape"]),
        num_classes=arguments["num_classes"],
        classes=sorted(data["classes"] or range(data["num_classes"])),
        dataset=data["name"],
        images_seen=images_seen,
        scores=scores,
    )


def save_generator(path: Path, generator: Generator, metadata: GeneratorMetadata) -> None:
    """Write a generator file; a reader never sees half of it."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in generator.state_dict().items()}
    fields = dataclasses.asdict(metadata)
    fields["sha256"] = content_hash(fields, tensors)
    text = json.dumps(fields, sort_keys=True)
    atomic_write(path, lambda file: save_file(tensors, file, metadata={"gan_lightning": text}))


def content_hash(fields: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 over the metadata (without the hash itself) and all tensors."""
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()


def _labels(metadata: GeneratorMetadata) -> bool:
    """Whether the classes of a conditional generator are labels that it knows, at least one."""
    return bool(metadata.classes) and set(metadata.classes) <= set(range(metadata.num_classes))


def build_generator(
    metadata: GeneratorMetadata, tensors: dict[str, Tensor], source: Path
) -> Generator:
    """Build the named network and give it the tensors, in eval mode on the CPU.

    Raises:
        UserError: unknown class, wrong arguments, or tensors of other names or shapes.
    """
    try:
        # On the meta device: a lie about sizes costs no memory before it is found out.
        with torch.device("meta"):
            generator = find_generator(metadata.class_name)(**metadata.arguments)
        expected = {k: (v.shape, v.dtype) for k, v in generator.state_dict().items()}
        found = {k: (v.shape, v.dtype) for k, v in tensors.items()}
        if expected != found:
            wrong = sorted(set(expected.items()) ^ set(found.items()), key=str)[0]
            raise ValueError(f"tensor {wrong[0]!r} does not fit {metadata.class_name}")
        generator.load_state_dict(tensors, assign=True)
        said = (metadata.latent_dim, tuple(metadata.image_shape), metadata.num_classes)
        if said != (generator.latent_dim, generator.image_shape, generator.num_classes):
            raise ValueError("latent_dim, image_shape or num_classes are not the network's")
        if metadata.num_classes and not _labels(metadata):
            raise ValueError(f"classes {metadata.classes} are none of its labels")
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{source}: cannot build the generator: {error.args[0]}") from error
    return generator.eval().requires_grad_(False)


def read_generator_file(path: Path) -> tuple[Generator, GeneratorMetadata]:
    """Read a `generator.safetensors`.

    Raises:
        UserError: it is no generator file, or one of a newer format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            fields = json.loads((file.metadata() or {})["gan_lightning"])
            if fields["format_version"] > FORMAT_VERSION:
                raise UserError(f"{path}: made by a newer version of this project; upgrade to read")
            expected = fields.pop("sha256")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if content_hash(fields, tensors) != expected:
                raise UserError(f"{path} is corrupt or was changed (hash mismatch)")
            metadata = GeneratorMetadata(**fields)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is not a generator file of this project ({error})") from error
    return build_generator(metadata, tensors, path), metadata


def generator_from_checkpoint(path: Path) -> tuple[Generator, GeneratorMetadata]:
    """Read the averaged generator out of a `.ckpt`.

    Raises:
        UserError: it is no checkpoint of this project.
    """
    checkpoint = read_checkpoint(path)
    state, prefix = checkpoint["state_dict"], "average.module."
    try:
        position = state["_extra_state"]
        metadata = metadata_from_config(
            checkpoint["config"], position["images_seen"], position["scores"]
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} holds no generator of this project: {error.args[0]}") from error
    tensors = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    return build_generator(metadata, tensors, path), metadata


def newest_generator(outputs: Path) -> Path:
    """Return the generator file written last below a folder.

    Raises:
        UserError: there is none.
    """
    files = list(outputs.glob(f"**/{GENERATOR_FILE}"))
    if not files:
        raise UserError(
            f"no {GENERATOR_FILE} below {outputs}/: train one with `python train.py`, "
            "or name one with generator=PATH"
        )
    return max(files, key=lambda file: file.stat().st_mtime)


def load_generator(path: Path) -> tuple[Generator, GeneratorMetadata, Path]:
    """Read a generator from a generator file, a run folder or a `.ckpt`.

    Returns:
        (generator in eval mode on the CPU, metadata, the file that was read)

    Raises:
        UserError: nothing readable is there.
    """
    file = path / GENERATOR_FILE if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"generator={path}: no such file" + (f" {file}" if path.is_dir() else ""))
    read = generator_from_checkpoint if file.suffix == ".ckpt" else read_generator_file
    return *read(file), file


class GeneratorExport(Callback):
    """Writes the generator file after every epoch, and the plain config into checkpoints.

    Args:
        path: of the generator file.
        config: the run's resolved config in plain containers.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.config = config

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Make the checkpoint self-describing."""
        checkpoint["config"] = self.config

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the averaged generator."""
        if trainer.is_global_zero:
            module, _ = context(trainer, pl_module)
            metadata = metadata_from_config(self.config, module.images_seen, module.scores)
            save_generator(self.path, module.average.generator, metadata)
