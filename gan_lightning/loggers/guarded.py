"""A logger that never ends the training."""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from lightning.pytorch.loggers.logger import DummyExperiment, DummyLogger, Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from tqdm import tqdm

from gan_lightning.errors import UserError

REST = 10  # times as long as a failure took, until what failed is tried again


class Guarded:
    """Stands for a logger: what fails in it is lost, and warned of once; the run goes on.

    The logger is made at its first use, in the first process alone: one that spawned ranks get
    need not be pickled, and has one connection. For `isinstance` it is of that logger's class.
    A call that failed is not tried again at once: a server that is gone takes a tenth of the time.
    A UserError, such as a metrics.csv that is no table, is passed on.
    """

    def __init__(self, key: str, kind: type[Logger], make: Callable[[], Logger]) -> None:
        """Stand for what `make`, which must be picklable, returns; `key` names it in a warning."""
        self._key, self._kind, self._make = key, kind, make
        self._logger: Any = None
        self._warned = False
        self._again = 0.0

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._kind

    def __reduce__(self) -> tuple[Any, ...]:
        return Guarded, (self._key, self._kind, self._make)

    def finalize(self, status: str) -> None:
        """End the logger; what is logged afterwards goes nowhere."""
        if self._logger is not None:
            self._tried(partial(self._logger.finalize, status))
        self._logger = DummyLogger()

    def __getattr__(self, name: str) -> Any:
        """Return what the logger has of that name; calls of it, or of its experiment, are tried."""
        if name.startswith("__"):  # pickle's and copy's questions
            raise AttributeError(name)
        if self._logger is None:
            none = getattr(rank_zero_only, "rank", 0) > 0  # Lightning sets it
            self._logger = DummyLogger() if none else self._tried(self._make, DummyLogger())
        ask = partial(getattr, self._logger, name)
        if not isinstance(getattr(type(self._logger), name, None), property):
            return _guarded(ask(), self._tried)
        if name == "experiment":
            return _Calls(self._tried(ask, DummyExperiment()), self._tried)
        return self._tried(ask)  # it may ask a server

    def _tried(self, call: Callable[[], Any], otherwise: Any = None) -> Any:
        if (start := time.monotonic()) < self._again:
            return otherwise
        try:
            return call()
        except UserError:
            raise
        except Exception as error:  # whatever a library or a server of the user's raises
            now = time.monotonic()
            self._again = now + REST * (now - start)
            self._warn(error)
            return otherwise

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            reason = " ".join(str(error).split())[:200]
            words = f"{self._key} failed ({type(error).__name__}: {reason})"
            tqdm.write(f"WARNING: {words}: the run goes on without what it misses", file=sys.stderr)


class _Calls:
    """Stands for a logger's experiment, whose calls are tried."""

    def __init__(self, thing: Any, tried: Callable[..., Any]) -> None:
        self._thing, self._tried = thing, tried

    def __getattr__(self, name: str) -> Any:
        return _guarded(getattr(self._thing, name), self._tried)


def _guarded(value: Any, tried: Callable[..., Any]) -> Any:
    if not callable(value):
        return value
    return lambda *args, **kwargs: tried(partial(value, *args, **kwargs))
