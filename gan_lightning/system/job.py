"""One job of a sweep in a process of its own: started, timed, told to end, and how it ended.

The job's process ends as a command does, saved if it is told to; so whatever becomes of it, of the
process that waits for it, or of other jobs, nothing is lost.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gan_lightning.system.portable import STATUS, ask_to_end, kill_group

HAND_OVER = "GAN_LIGHTNING_HAND_OVER"  # the file in which a job's process says how it ended
POLL = 0.2
GRACE = 120.0  # seconds that a job may take to end its batch and save, once it is told to
STOPPED = STATUS[signal.SIGTERM]
_file = ""  # of HAND_OVER, in a job's process


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    status: int  # of its process
    reason: str = ""  # why not 0
    value: float | None = None  # what it returned
    again: bool = False  # started again it goes on: it was killed, or its time was over


@dataclass
class Job:
    """A command to run; called, on whichever machine, it runs it and returns how it ended."""

    number: int
    overrides: list[str]
    folder: Path
    command: list[str]
    stop: Path  # is there when all jobs are to end; with anything in it, at once
    environment: dict[str, str] = field(default_factory=dict)
    minutes: float | None = None
    requeue: int = 0  # times that it goes on if it can
    at: Path = field(default_factory=Path.cwd)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log(self) -> Path:
        """What its process says."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def __call__(self, **environment: str) -> Outcome:
        """Run it until it ends, is told to, or cannot go on; more variables win."""
        self.environment = self.environment | environment
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(1 + self.requeue):
            outcome = self._run()
            if not outcome.again or self.stop.exists():
                break
        return outcome

    def checkpoint(self) -> Any:
        """Tell its process to save and end; submitit calls this before it queues the job again."""
        from submitit.helpers import DelayedSubmission

        self._end()
        return DelayedSubmission(replace(self))

    def _run(self) -> Outcome:
        if self.stop.exists():
            return Outcome(STOPPED, "stopped before it began")
        with tempfile.TemporaryDirectory() as folder, self.log.open("ab") as log:
            handed = Path(folder) / "outcome.json"
            self._child = subprocess.Popen(
                self.command,
                cwd=self.at,
                env=os.environ | self.environment | {HAND_OVER: str(handed)},
                stdin=subprocess.PIPE,  # closed when this process is gone: see `obey`
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C is for us, who pass it on once
            )
            try:
                told = self._wait(self._child)
            finally:
                self._end()
            return self._outcome(self._child.returncode, handed, told)

    def _wait(self, child: subprocess.Popen[bytes]) -> str:
        """Wait for the end, or for a reason to tell it to end, and return that."""
        limit = time.monotonic() + 60 * self.minutes if self.minutes else float("inf")
        while True:
            try:
                child.wait(POLL)
                return ""
            except subprocess.TimeoutExpired:
                if self.stop.exists():
                    return "stopped with its sweep"
                if time.monotonic() > limit:
                    return f"its {self.minutes:g} minutes were over"

    def _end(self) -> None:
        """Tell a process that runs to end, and wait for that."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        ask_to_end(child)
        limit = time.monotonic() + GRACE
        while child.poll() is None and time.monotonic() < limit and not self._at_once():
            time.sleep(POLL)
        if child.poll() is None:
            kill_group(child)
        child.wait()

    def _at_once(self) -> bool:
        return self.stop.exists() and self.stop.stat().st_size > 0

    def _outcome(self, code: int, handed: Path, told: str) -> Outcome:
        try:
            said = json.loads(handed.read_text())
        except (OSError, ValueError):
            said = {"reason": "", "value": None, "done": False}
        if code == 0 or (code < 0 and said["done"]):  # to leave takes a while, too
            return Outcome(0, value=said["value"])
        if told:
            return Outcome(STOPPED, told, again=True)
        if code < 0:
            name = signal.Signals(-code).name
            why = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
            return Outcome(1, f"ended by {name}{why}", again=True)
        reason = said["reason"] or _last_line(self.log)
        stopped = code in STATUS.values()
        return Outcome(code, "ended by a signal" if stopped else reason, again=stopped)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace")[-4096:].split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def run(job: Job) -> Outcome:
    """Run a job; a function, as Ray wants it."""
    return job()


def obey() -> None:
    """In a job's process: ask it to end when the process that waits for it is gone."""
    global _file
    _file = os.environ.pop(HAND_OVER, "")  # processes that this one starts are no jobs
    if not _file:
        return

    def watch() -> None:
        os.read(0, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def hand_over(reason: str = "", value: Any = None) -> None:
    """In a job's process: say why it failed, or what it returns; elsewhere nothing happens."""
    if _file:
        text = json.dumps({"reason": reason, "value": value, "done": not reason})
        Path(_file).write_text(text)
