"""Signals that ask a run to end, and how each of its processes handles them.

A process that trains only notes a signal and ends when its state is complete; one with nothing to
save ends at once. The first process passes signals on to those it started.
"""

import atexit
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from gan_lightning.system.launched import launched
from gan_lightning.system.portable import ANNOUNCED, STATUS, mask_signals

RELAY = 2  # seconds in which torchrun passes on a Ctrl-C that the terminal sent to all of us
RANK_GRACE = 10  # seconds that a rank outlives the process that started it, to save


class Signals:
    """The signals that one process got."""

    def __init__(self) -> None:
        self.keep_process = False  # even an insisted end leaves it, as a notebook's kernel
        self._pid = 0
        self.reset()

    def reset(self) -> None:
        """Forget the signals of an earlier run."""
        self.status = 0  # what this process was asked to end with; 0 if it was not
        self.training = False  # there is something to save: the end of the batch is waited for
        self.insisted = False  # a further signal ends at once; USR1 only announces a SIGTERM
        self._first = 0.0  # when the first signal came, on the monotonic clock

    def install(self) -> None:
        """Handle the signals in this process; nothing happens outside of its main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._pid = os.getpid()
        for number in STATUS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a fork that inherited the handler: a worker of a loader
            return
        relayed = launched() and time.monotonic() < self._first + RELAY
        if self.insisted and relayed:
            return
        again = self.insisted and number != ANNOUNCED
        self.insisted = self.insisted or number != ANNOUNCED
        self._first = self._first or time.monotonic()
        self.status = self.status or STATUS[signal.Signals(number)]
        spawned = multiprocessing.parent_process() is not None
        children = [] if spawned else multiprocessing.active_children()
        if self.training and not again:
            for child in children:
                if not child.daemon and child.pid:  # ranks; loader workers end with their rank
                    os.kill(child.pid, signal.SIGTERM)
        elif spawned and self.training:
            pass  # a terminal's Ctrl-C reaches every process, and the first one passes it on
        elif self.training:
            for child in children:
                child.kill()
            if self.keep_process:
                raise KeyboardInterrupt("stopped at once: nothing was saved since the checkpoint")
            sys.stderr.flush()
            os._exit(self.status)
        else:
            sys.exit(self.status)

    @contextmanager
    def waiting(self, wait: bool = True) -> Iterator[None]:
        """Pass signals on to the ranks of this process, and let these end it."""
        self.training = wait
        yield
        self.training = False  # after an error it stays: what is left of the run has to end too


SIGNALS = Signals()


@contextmanager
def watched() -> Iterator[Signals]:
    """Handle the signals as long as a run goes on, then as before."""
    before = {number: signal.getsignal(number) for number in STATUS}
    SIGNALS.reset()
    SIGNALS.install()
    try:
        yield SIGNALS
    finally:
        SIGNALS.training = False
        for number, handler in before.items():
            if threading.current_thread() is threading.main_thread():
                signal.signal(number, handler)


def end_with_parent() -> None:
    """Let a rank end soon after the process that started it, whatever it waits for then.

    Ranks of a killed parent would wait at a barrier for ever and keep the run folder locked. A rank
    that comes to this point after its parent's end has nothing to save, and the folder may be
    another run's by now: it ends at once.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    if not parent.is_alive():
        os._exit(STATUS[signal.SIGTERM])

    def watch() -> None:
        parent.join()
        time.sleep(RANK_GRACE)
        for worker in multiprocessing.active_children():  # they would look for it every 5 s
            worker.kill()
        os._exit(STATUS[signal.SIGTERM])

    threading.Thread(target=watch, daemon=True).start()


def skip_finalization() -> None:
    """Let a rank that is done leave without finalizing its interpreter.

    A thread of gloo's that frees a tensor then, after the rank was given its result, asks for an
    interpreter that is going down, and aborts the process ("terminate called without an active
    exception"): a run that was complete would end as failed. When multiprocessing comes to its
    last finalizer, results are handed over and children have ended; threads that are no daemons,
    and what was registered with atexit, are waited for here.
    """

    def leave() -> None:
        error = sys.exc_info()[1]  # what the rank ends with
        status = error.code if isinstance(error, SystemExit) else 0 if error is None else None
        if not isinstance(status, int):  # for multiprocessing to say
            return
        try:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)

    multiprocessing.util.Finalize(None, leave, exitpriority=-1_000)


@contextmanager
def signals_held() -> Iterator[None]:
    """Block signals in this thread, and in the processes it starts until they unblock them.

    Between a worker's start and `calm_worker` torch's own handler would end it.
    """
    mask_signals(block=True)
    try:
        yield
    finally:
        mask_signals(block=False)


def calm_worker(_: int) -> None:
    """Let a loader's worker outlive a signal to the whole process group: its rank ends it.

    A rank looks at its workers' exits and fails if one was killed, so none may die before the
    batch is done, however long that takes. Should the rank not end it, a second SIGTERM does.
    A worker whose rank is gone ends by itself.
    """
    asked = False

    def later(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            os._exit(0)
        asked = True

    for number in STATUS:
        signal.signal(number, later if number == signal.SIGTERM else signal.SIG_IGN)
    mask_signals(block=False)
