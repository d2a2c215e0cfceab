"""Processes of one run that torchrun started side by side: who is first, and what it tells."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

ALIKE = 10.0  # seconds in which all processes come to the same error, and torchrun ends them
_turns = 0  # meetings so far, the same number in every process


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def launched_world() -> int:
    """Return how many processes torchrun started, on all nodes; 1 if it started none."""
    return int(os.environ["WORLD_SIZE"]) if launched() else 1


@contextmanager
def first_process_first() -> Iterator[Any]:
    """Let the first process do something alone that the others then find done.

    Yields their key-value store, a key and this process's rank; None of a process by itself.
    """
    global _turns
    if launched_world() == 1:
        yield None
        return
    import torch.distributed  # takes a second, which a process by itself saves

    _turns += 1
    store, rank, _ = next(torch.distributed.rendezvous("env://"))
    key = f"gan_lightning/{_turns}"
    if rank:
        store.wait([f"{key}/done"])
    try:
        yield store, key, rank
    finally:
        if not rank:
            store.set(f"{key}/done", "")


def agreed(make: Callable[[], str]) -> str:
    """Return what `make` returns in the first process, in all of them."""
    with first_process_first() as meeting:
        if meeting is None:
            return make()
        store, key, rank = meeting
        if not rank:
            store.set(key, make())
        return store.get(key).decode()


@contextmanager
def one_console() -> Iterator[None]:
    """Let the first process of a node speak for all; another one only if it alone fails."""
    if not launched() or os.environ["LOCAL_RANK"] == "0":
        yield
        return
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            yield
    except SystemExit as end:
        if end.code:
            time.sleep(ALIKE)  # a SIGTERM ends it: the first process has said the same
            print(said.getvalue(), end="", file=sys.stderr)
        raise
