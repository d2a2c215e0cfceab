"""What a run is, as hashes: two runs are the same run if these are equal."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import torch

CLOCK = ("images/s",)  # depends on the machine's mood


def fold(digest: Any, value: Any) -> None:
    """Feed a nested value to a digest: exact bits of tensors and numbers, names, order of keys."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().tobytes() if value.numel() else b"")
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            if key not in CLOCK:
                digest.update(repr(key).encode())
                fold(digest, value[key])
    elif isinstance(value, list | tuple):
        digest.update(str(len(value)).encode())
        for item in value:
            fold(digest, item)
    else:
        digest.update(repr(value).encode())


def sha256(value: Any) -> str:
    digest = hashlib.sha256()
    fold(digest, value)
    return digest.hexdigest()


def curves(run: Path) -> list[dict[str, str]]:
    """Return the rows of metrics.csv, in order, without clocks and empty cells."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [
            {k: v for k, v in row.items() if k not in CLOCK and v} for row in csv.DictReader(file)
        ]
    return rows


def state(run: Path) -> dict[str, str]:
    """Return the SHA-256 of every part of a run's end."""
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    weights: dict[str, dict[str, Any]] = {}
    for name, value in checkpoint["state_dict"].items():
        weights.setdefault(name.partition(".")[0], {})[name] = value
    states = checkpoint["optimizer_states"]
    optimizers = dict(zip(("D", "G") if len(states) == 2 else ("VAE",), states, strict=True))
    callbacks = {k: v for k, v in checkpoint["callbacks"].items() if "Timer" not in k}
    parts = {
        **{f"weights of {name}": value for name, value in weights.items()},
        **{f"optimizer of {name}": value for name, value in optimizers.items()},
        "callbacks": callbacks,
        "curves so far": checkpoint["meters"],
        "position in the data": [v for k, v in checkpoint.items() if k.endswith("DataModule")],
        "metrics.csv": curves(run),
        "generator file": (run / "generator.safetensors").read_bytes(),
    }
    return {name: sha256(value) for name, value in parts.items()}


def differences(one: Path, other: Path) -> list[str]:
    """Return which parts of two runs differ."""
    first, second = state(one), state(other)
    return sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n))
