"""Processes of one run that torchrun or srun started, and what they tell each other."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from functools import cache
from typing import Any

from gan_lightning.errors import UserError
from gan_lightning.system.portable import STATUS

ALIKE = 10.0  # seconds in which all processes come to the same error, and torchrun ends them
SHELLS = ("bash", "interactive")  # SLURM's names of jobs in which commands are typed
_turns = 0  # meetings so far, the same number in every process


def launched() -> bool:
    """Whether torchrun started this process, or srun several."""
    return by_torchrun() or by_srun()


def by_torchrun() -> bool:
    """Whether torchrun started this process, within a job of SLURM or not."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def by_srun() -> bool:
    """Whether SLURM's srun started this process and others; a job's script itself is no step."""
    step = "SLURM_STEP_ID" in os.environ and os.environ.get("SLURM_JOB_NAME") not in SHELLS
    return step and not by_torchrun() and int(os.environ.get("SLURM_NTASKS", 1)) > 1


def launched_world() -> int:
    """Return how many processes were started, on all nodes; 1 if none was."""
    return int(os.environ["SLURM_NTASKS" if by_srun() else "WORLD_SIZE"]) if launched() else 1


def launched_rank() -> int:
    """Return this process's number among those."""
    return int(os.environ["SLURM_PROCID" if by_srun() else "RANK"]) if launched() else 0


def slurm() -> Any:
    """Return Lightning's `SLURMEnvironment`; a job's script asks to be requeued, not Lightning.

    Lightning would save within a step, where D is updated and G is not.

    Raises:
        UserError: srun does not say how many processes a node has.
    """
    from lightning.fabric.plugins.environments import SLURMEnvironment  # takes seconds

    try:
        return SLURMEnvironment(auto_requeue=False)
    except RuntimeError as error:
        raise UserError(
            "srun: give the processes of each node by --ntasks-per-node, and --nodes, not --ntasks"
        ) from error


@cache
def _store() -> Any:
    """Return what all processes write to and read: torchrun's, or under srun the first one's.

    It is kept, for the first one would take it along, and torch's own finds it there.
    """
    import torch.distributed  # takes a second, which a process by itself saves

    if by_srun():
        place = slurm()
        os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = (
            place.main_address,
            str(place.main_port),
        )
    meet = torch.distributed.rendezvous("env://", launched_rank(), launched_world())
    return next(meet)[0]


def exchanged(words: str) -> list[str]:
    """Return what every process says, in their order; the first one leaves last.

    Raises:
        UserError: another process ended meanwhile.
    """
    global _turns
    world = launched_world()
    if world == 1:
        return [words]
    _turns += 1
    key, rank = f"gan_lightning/{_turns}", launched_rank()
    try:
        store = _store()
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
    """Let the first process of a console speak for all; another one only if it alone fails.

    torchrun has a console on each node, srun one.
    """
    if not launched():
        yield
        return
    first, said = os.environ["SLURM_PROCID" if by_srun() else "LOCAL_RANK"] == "0", io.StringIO()
    try:
        if first:
            yield
        else:
            with redirect_stdout(io.StringIO()), redirect_stderr(said):
                yield
    except SystemExit as end:
        if end.code not in (0, None, *STATUS.values()):
            alike = _failed_alike(first, str(end.code))
            if not (first or alike):
                print(said.getvalue(), end="", file=sys.stderr)
        raise


def _failed_alike(first: bool, status: str) -> bool:
    """Whether the first process fails with this status too, and so has said the same.

    srun lets the others go on; the first process, which has the store, waits until they know.
    """
    if not by_srun():
        time.sleep(0.0 if first else ALIKE)  # if it does, torchrun ends this one meanwhile
        return False
    key, patience = "gan_lightning/failed", timedelta(seconds=ALIKE)
    try:
        store = _store()
        if first:
            store.set(key, status)
            store.wait([f"{key}/{rank}" for rank in range(1, launched_world())], patience)
            return True
        store.wait([key], patience)
        alike = store.get(key).decode() == status
        store.set(f"{key}/{launched_rank()}", "")
        return alike
    except (RuntimeError, UserError):  # the other ones go on, or are lost
        return False
