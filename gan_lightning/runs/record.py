"""`run.json`: which command, with which versions, and how it ended."""

import json
import platform
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gan_lightning.config import Settings
from gan_lightning.system.files import atomic_write

RUN_FILE = "run.json"
PACKAGES = ("torch", "torchvision", "lightning", "hydra-core", "numpy", "gan-lightning")


@dataclass(frozen=True)
class Start:
    """What a run was started by."""

    command: str  # as it was typed
    overrides: list[str]  # of all commands so far
    own: list[str]  # of this one alone


class RunRecord:
    """The sessions of a run in `run.json`; one without an end that is not the last was killed."""

    def __init__(self, folder: Path, start: Start) -> None:
        self.path = folder / RUN_FILE
        self.content = read_record(folder)
        self.content["overrides"] = start.overrides
        self.command = start.command

    def start(self, settings: Settings) -> None:
        text = json.dumps(settings, sort_keys=True, default=str)
        sessions = self.content.setdefault("sessions", [])
        if sessions and sessions[-1]["reason"] == "running":
            sessions[-1]["reason"] = "killed"
        sessions.append(
            {
                "command": self.command,
                "config_sha256": sha256(text.encode()).hexdigest(),
                "seed": settings["seed"],
                "git_commit": git_commit(),
                "versions": versions(),
                "host": socket.gethostname(),
                "start": now(),
                "end": None,
                "reason": "running",
                "status": None,
                "images_seen": None,
            }
        )
        self._write()

    def end(self, reason: str, status: int, images_seen: int | None) -> None:
        """Write down how it ended; a full disk does not hide why."""
        self.content["sessions"][-1] |= {
            "end": now(),
            "reason": reason,
            "status": status,
            "images_seen": images_seen,
        }
        try:
            self._write()
        except OSError as error:
            print(f"{self.path} could not be written: {error.strerror}", file=sys.stderr)

    def _write(self) -> None:
        text = json.dumps(self.content, indent=2)
        atomic_write(self.path, lambda file: file.write_text(text + "\n"))


def read_record(folder: Path) -> dict[str, Any]:
    """Return the content of run.json; {} if it cannot be read."""
    try:
        content = json.loads((folder / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def completed(folder: Path, overrides: list[str]) -> bool:
    """Return whether the run in a folder was made with these overrides, and came to its end."""
    record = read_record(folder)
    sessions = record.get("sessions") or [{}]
    return record.get("overrides") == overrides and sessions[-1].get("reason") == "complete"


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of Python and the main packages."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Return the commit that the package runs from, "+" if files differ from it; None elsewhere."""
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=40"]
    command += ["--match", "no tag"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
