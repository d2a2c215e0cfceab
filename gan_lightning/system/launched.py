"""Processes of one run that torchrun started side by side: who is first, and what it tells."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from gan_lightning.errors import UserError
from gan_lightning.system.portable import STATUS

ALIKE = 10.0  # seconds in which all processes come to the same error, and torchrun ends them
_turns = 0  # meetings so far, the same number in every process


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def launched_world() -> int:
    """Return how many processes torchrun started, on all nodes; 1 if it started none."""
    return int(os.environ["WORLD_SIZE"]) if launched() else 1


def launched_rank() -> int:
    """Return this process's number among those."""
    return int(os.environ["RANK"]) if launched() else 0


def exchanged(words: str) -> list[str]:
    """Return what every process says, in their order; the first one leaves last.

    Raises:
        UserError: another process ended meanwhile.
    """
    global _turns
    world = launched_world()
    if world == 1:
        return [words]
    import torch.distributed  # takes a second, which a process by itself saves

    _turns += 1
    key = f"gan_lightning/{_turns}"
    try:
        store, rank, _ = next(torch.distributed.rendezvous("env://"))
        store.set(f"{key}/{rank}", words)
        said = [store.get(f"{key}/{other}").decode() for other in range(world)]
        store.set(f"{key}/{rank}/read", "")
        if rank == 0:  # the others' store goes with it
            store.wait([f"{key}/{other}/read" for other in range(world)])
    except RuntimeError as error:
        raise UserError("another process of this run ended, and said why") from error
    return said


def agreed(make: Callable[[], str]) -> str:
    """Return what `make` returns in the first process, in all of them."""
    return exchanged(make() if launched_rank() == 0 else "")[0]


def in_turn(act: Callable[[], str]) -> str:
    """Let the first process act, then the others; return the first words that one of them has."""
    first = launched_rank() == 0
    said = exchanged(act() if first else "")[0]
    return next((words for words in exchanged(said if first else act()) if words), "")


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
        if end.code not in (0, None, *STATUS.values()):
            time.sleep(ALIKE)  # a SIGTERM ends it: the first process has said the same
            print(said.getvalue(), end="", file=sys.stderr)
        raise
