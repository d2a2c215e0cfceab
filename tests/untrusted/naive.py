"""Load one file after another as most people write it first; say what came of it.

`python -m tests.untrusted.naive FILE...` prints a JSON line each. The harm, if any:

- `code`: code of the file's choice was run, or a class of its choice imported;
- `memory`, `time`: more than sample.py may take, or the limit that ends this process's child;
- `believed`: samples were drawn from what is no file of this project, or says what is not so;
- `raised`: a traceback, which is no harm but no answer to a user either.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from safetensors import safe_open
from safetensors.torch import load_file

from tests.untrusted.memory import reset, used

MOST_BYTES = 200 << 20
MOST_SECONDS = 4  # what takes that long would take hours: 10^6 layers, 2^60 steps
PACKAGE = "gan_lightning.networks."


def load(path: Path) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Whatever the file says."""
    if path.suffix == ".ckpt":
        with path.open("rb") as file:
            content = torch.load(file, weights_only=False)
        more = content.get("hyper_parameters", {}) | content.get("datamodule_hyper_parameters", {})
        for name in more.values():  # as Lightning did before 2.6: it imports what is named there
            __import__(name.rpartition(".")[0])
        node = content["config"]["model"]["generator"]
        start = "average.module."
        state = {k[len(start) :]: v for k, v in content["state_dict"].items() if start in k}
        fields = {"dataset": content["config"]["data"]["name"]}
    else:
        with safe_open(path, framework="pt") as file:
            fields = json.loads(file.metadata()["gan_lightning"])
        name = fields["class_name"]
        node = {"_target_": name if "." in name else PACKAGE + name, **fields["arguments"]}
        state = load_file(path)
    generator = instantiate(node)
    generator.load_state_dict(state)
    return generator, fields | {key: node[key] for key in ("latent_dim", "num_classes")}


def sample(path: Path) -> None:
    generator, fields = load(path)
    y = torch.zeros(4, dtype=torch.int64) if fields["num_classes"] else None
    generator.eval()(torch.randn(4, fields["latent_dim"]), y)
    print(f"4 samples of {fields['dataset']}")


def child(path: Path, out: int) -> None:
    """Sample, and tell the parent how much memory that took and how it ended."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    here = reset()
    most = 2 << 30
    resource.setrlimit(resource.RLIMIT_DATA, (used("VmData") + most, used("VmData") + most))
    ended = "believed"
    try:
        sample(path)
    except MemoryError:
        ended = "memory"
    except BaseException as error:
        ended = "memory" if "memory" in str(error) else "raised"
    os.write(out, f"{used() - here} {ended}".encode())
    os._exit(0)


def attempt(path: Path, mark: Path) -> str:
    """Return the harm."""
    read, write = os.pipe()
    pid, start = os.fork(), time.monotonic()
    if not pid:
        child(path, write)
    os.close(write)
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() - start > MOST_SECONDS:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "time"
        time.sleep(0.002)
    grew, _, ended = os.read(read, 100).decode().partition(" ")
    os.close(read)
    if mark.exists():
        mark.unlink() if mark.is_file() else mark.rmdir()
        return "code"
    if not ended:  # the system ended it
        return "memory"
    return "memory" if int(grew) > MOST_BYTES else ended


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:]:
        harm = attempt(Path(name), Path(os.environ["MARK"]))
        print(json.dumps({"path": name, "harm": harm}), flush=True)
