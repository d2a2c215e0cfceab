"""The planted files, by name: what the refusal must say, and how each is made."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.conftest import ROOT
from tests.untrusted import planted as p

MARK = "mark"  # what code from a planted file would make
Make = Callable[[Path], Path]


def doubled(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k: v.double() if v.is_floating_point() else v for k, v in state.items()}


def fields(**changes: Any) -> Make:
    return lambda path: p.generator_file(path, **changes)


def arguments(**changes: Any) -> Make:
    return lambda path: p.with_arguments(path, **changes)


def text(old: str, new: str) -> Make:
    """A generator file whose JSON, otherwise whole, has one piece replaced."""

    def make(path: Path) -> Path:
        whole = json.dumps(p.FIELDS | {"sha256": "0"})
        assert old in whole
        return p.with_text(path, whole.replace(old, new))

    return make


def header(value: Any, data: bytes = b"", length: int | None = None) -> Make:
    return lambda path: p.raw_file(path, value, data, length)


def node(**changes: Any) -> Make:
    return lambda path: p.checkpoint(path, **changes)


def saved(**more: Any) -> Make:
    def make(path: Path) -> Path:
        torch.save(p.content() | more, path)
        return path

    return make


def huge_view(path: Path) -> Path:
    """A layer of 10^12 weights that are all the same number in the file."""
    content = p.content(hidden=[10**6, 10**6])
    state = content["state_dict"]
    one = torch.zeros(1)
    for i, shape in enumerate([(10**6, 4), (10**6, 10**6), (16, 10**6)]):
        state[f"average.module.layers.{3 * i}.weight"] = one.as_strided(shape, (0, 0))
    torch.save(content, path)
    return path


def told(**changes: Any) -> Make:
    return arguments(**changes)


def beside(kind: str) -> Make:
    """A good checkpoint beside whose hash file is something else."""

    def make(path: Path) -> Path:
        p.checkpoint(path)
        hashes = path.with_name(path.name + ".sha256")
        if kind == "pipe":
            os.mkfifo(hashes)
        elif kind == "folder":
            hashes.mkdir()
        elif kind == "large":
            hashes.write_bytes(b"0" * 10**6)
        else:
            hashes.symlink_to(kind)
        return path

    return make


R3GAN = {"class_name": "R3GANGenerator", "arguments": {"latent_dim": 4, "image_shape": [1, 4, 4]}}
TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
META = {"__metadata__": {"gan_lightning": json.dumps(p.FIELDS | {"sha256": "0"})}}
LOAD = {"_target_": "torch.load", "f": "payload", "weights_only": False}
CALL = {"f": "payload", "weights_only": False}
OWN = "tests.untrusted.own.OwnGenerator"  # importing it leaves the mark
EVIL = "tests.untrusted.own.MLPGenerator"
NAMES: list[Any] = ["Generator", "__class__", "__init__", "gan_lightning.networks.base.Generator"]
NAMES += ["os.system", "DCGANDiscriminator", "../../x", "", 5, None, ["x"], {}, "a\nb", p.ESCAPE]

FILES: dict[str, tuple[str, Make]] = {
    # code
    "pickle.ckpt": ("not a zip", lambda f: p.pickled(f, f.parent / MARK)),
    "torch.ckpt": ("it asks for posix mkdir", lambda f: p.torch_pickled(f, f.parent / MARK)),
    "pickle.safetensors": ("not a gen", lambda f: p.pickled(f, f.parent / MARK)),
    "torch.safetensors": ("not a gen", lambda f: p.torch_pickled(f, f.parent / MARK)),
    "bytearray.ckpt": (
        "asks for builtins bytearray",
        lambda f: p.calls(f, "builtins", "bytearray", 10**10),
    ),
    "eval.ckpt": (
        "not a ch",
        lambda f: p.calls(f, "builtins", "eval", f"open('{f.parent / MARK}', 'w')"),
    ),
    "target.safetensors": ("impossible of arg", fields(arguments={"x": LOAD})),
    "target plain.safetensors": ("cannot build", fields(arguments=LOAD)),
    "target nested.safetensors": ("impossible of arg", arguments(hidden=[LOAD])),
    "target class.safetensors": (
        "trust=torch.load",
        fields(class_name="torch.load", arguments=CALL),
    ),
    "target.ckpt": ("trust=torch.load", lambda f: p.saved_node(f, LOAD)),
    "target same name.ckpt": (f"trust={EVIL}", node(_target_=EVIL)),
    "target deep.ckpt": ("no plain values", node(hidden=[LOAD])),
    "target twice.ckpt": ("no generator", node(_args_=[LOAD])),
    "instantiator.ckpt": ("hyper_par", saved(hyper_parameters={"_instantiator": OWN})),
    "data instantiator.ckpt": ("hyper_p", saved(datamodule_hyper_parameters={"x": OWN})),
    "own.safetensors": (f"trust={OWN}", fields(class_name=OWN)),
    "own.ckpt": (f"trust={OWN}", node(_target_=OWN)),
    # names
    **{f"name {i}.safetensors": ("", fields(class_name=name)) for i, name in enumerate(NAMES)},
    # sizes
    "header 1 GB.safetensors": ("no safetensors header", header(b"{}", length=10**9)),
    "header 2 to 63.safetensors": ("no safetensors header", header(b"{}", length=2**63 + 5)),
    "header 2 MB.safetensors": ("no safetensors header", header({"x" * 2 * 10**6: TENSOR})),
    "shape.safetensors": (
        "not a gen",
        header({**META, "x": TENSOR | {"shape": [10**6, 10**6]}}, b"1" * 8),
    ),
    "overflow.safetensors": (
        "not a gen",
        header({**META, "x": TENSOR | {"shape": [2**62] * 4}}, b"1" * 8),
    ),
    "width.safetensors": ("does not fit", arguments(hidden=[10**6, 10**6])),
    "latent.safetensors": ("does not fit", told(latent_dim=10**9)),
    "labels.safetensors": ("num_classes", told(num_classes=10**9)),
    "labels 2.safetensors": ("does not fit", told(num_classes=10**5)),
    "label.safetensors": ("classes", fields(classes=[10**12])),
    "side.safetensors": ("image_shape", told(image_shape=[1, 10**6, 10**6])),
    "depth.safetensors": ("not a gen", arguments(hidden=[1] * 10**6)),
    "depth 2.safetensors": ("more layers", arguments(hidden=[1] * 900)),
    "blocks.safetensors": (
        "more layers",
        fields(**R3GAN | {"arguments": R3GAN["arguments"] | {"blocks": 10**9}}),
    ),
    "number.safetensors": ("not a gen", text('"latent_dim": 4', '"latent_dim": ' + "9" * 10**5)),
    "depth.ckpt": ("no plain values", node(hidden=[1] * 10**6)),
    "width.ckpt": ("does not fit", node(hidden=[10**6, 10**6])),
    "view.ckpt": ("claim more", huge_view),
    "latent.ckpt": ("does not fit", node(latent_dim=10**9)),
    "bomb.ckpt": ("compressed", lambda f: p.zip_bomb(f, 10 * 10**9)),
    "claim.ckpt": ("other bytes", p.claims_more),
    "tuples.ckpt": ("tuples of tuples", p.tuples_of_tuples),
    # lies
    "type.safetensors": ("float64", lambda f: p.generator_file(f, doubled(p.tensors()))),
    "shapes.safetensors": ("does not fit", arguments(hidden=[9])),
    "missing.safetensors": ("does not fit", lambda f: p.generator_file(f, {"x": torch.ones(2)})),
    "kind.safetensors": ("not a gen", header({**META, "x": TENSOR | {"dtype": "X99"}}, b"1" * 8)),
    "overlap.safetensors": ("not a gen", header({**META, "x": TENSOR, "y": TENSOR}, b"1" * 8)),
    "offset.safetensors": (
        "not a gen",
        header({**META, "x": TENSOR | {"data_offsets": [8, 0]}}, b"1" * 8),
    ),
    "list.safetensors": ("no safetensors header", header([1])),
    "escape.safetensors": (
        "does not fit",
        lambda f: p.generator_file(f, {p.ESCAPE: torch.ones(2)}),
    ),
    # texts and JSON
    "twice.safetensors": ("twice", text('"latent_dim": 4', '"latent_dim": 4, "latent_dim": 5')),
    "twice 2.safetensors": ("twice", header(b'{"x": {}, "x": {}}')),
    "nan.safetensors": ("NaN", text('"scores": {}', '"scores": {"fid": NaN}')),
    "inf.safetensors": ("Infinity", text('"scores": {}', '"scores": {"fid": -Infinity}')),
    "large.safetensors": ("no number", text('"scores": {}', '"scores": {"fid": 1e999}')),
    "deep.safetensors": ("too deep", lambda f: p.with_text(f, "[" * 10**5)),
    "deep header.safetensors": ("too deep", header(b"[" * 10**5)),
    "dataset path.safetensors": ("dataset", fields(dataset="../../x")),
    "dataset lines.safetensors": ("dataset", fields(dataset="a\nb")),
    "dataset escape.safetensors": ("dataset", fields(dataset=p.ESCAPE)),
    "dataset long.safetensors": ("dataset", fields(dataset="x" * 10**5)),
    "dataset.ckpt": (
        "dataset",
        saved(
            config=p.content()["config"]
            | {"data": {"name": "../x", "classes": None, "num_classes": 2}}
        ),
    ),
    "scores.safetensors": ("scores", fields(scores={"fid": "x"})),
    "seen.safetensors": ("images_seen", fields(images_seen=-1)),
    "version.safetensors": ("format_version", fields(format_version=True)),
    # what stands beside
    "pipe.ckpt": ("file of hashes", beside("pipe")),
    "link.ckpt": ("file of hashes", beside("/dev/zero")),
    "dangling.ckpt": ("file of hashes", beside("nowhere")),
    "folder.ckpt": ("file of hashes", beside("folder")),
    "large.ckpt": ("file of hashes", beside("large")),
}


def run_on_files(module: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Let a module of this package read all planted files, in one process."""
    paths = [str(folder / name.replace(" ", "_")) for name in FILES]
    done = subprocess.run(
        [sys.executable, "-m", f"tests.untrusted.{module}", *paths],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MARK": str(folder / MARK)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(FILES), done.stderr
    return {Path(one["path"]).name: one for one in found}
