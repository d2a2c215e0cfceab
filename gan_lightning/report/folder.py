"""What a run folder holds, read as a stranger's: bounded, no link followed, nothing executed.

What is missing or broken becomes a remark for the page, not a failure.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from gan_lightning.errors import UserError
from gan_lightning.system.untrusted import read_small, strict_json, tensor_header, words

MARKS = ("config.yaml", "run.json", "metrics.csv")  # a folder with none of them is no run
REPORT_FILE, FLOORS_FILE = "report.html", "floors.json"
GENERATORS = ("best.safetensors", "generator.safetensors")
MAX_CURVES, MAX_RECORD = 1 << 26, 1 << 22  # bytes
MOST_EVALUATIONS, MOST_LINES = 3, 200  # of run.log, the last
_SAID = re.compile(r"(?P<when>\S+ \S+) images_seen=(?P<seen>[0-9]{1,15}) doctor: (?P<words>.*)")
Node = dict[str, Any]


@dataclass
class Run:
    """The records of one run."""

    folder: Path
    record: Node = field(default_factory=dict)  # run.json
    config: Node = field(default_factory=dict)
    config_text: str = ""
    curves_text: str = ""
    log: list[tuple[str, str, str]] = field(default_factory=list)  # (time, images seen, words)
    floors: Node = field(default_factory=dict)  # floors.json
    generators: dict[str, Node] = field(default_factory=dict)  # what generator files say
    evaluations: dict[str, Node] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)  # what could not be read, and why

    @property
    def sessions(self) -> list[Node]:
        """Every start of the run that run.json knows, the first one first."""
        found = self.record.get("sessions")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def setting(self, key: str) -> Any:
        """Return the value of a dotted key of the config; None if there is none."""
        node: Any = self.config
        for name in key.split("."):
            node = node.get(name) if isinstance(node, dict) else None
        return node

    @property
    def minutes(self) -> tuple[float, int]:
        """Minutes over all starts whose end is known, and how many starts have none."""
        spans = [(when(one.get("start")), when(one.get("end"))) for one in self.sessions]
        known = [(end - start).total_seconds() / 60 for start, end in spans if start and end]
        return sum(known), len(spans) - len(known)

    @property
    def ended(self) -> str:
        """How the run ended, in words."""
        if not self.sessions:
            return "not known: run.json has no start"
        reason = words(self.sessions[-1].get("reason"))
        if reason == "running":
            return "running, or killed: run.json has no end"
        return reason or "not known"


def when(value: Any) -> datetime | None:
    """Return the time that a record writes in ISO form, in UTC; None if it is none."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def read_run(folder: Path) -> Run:
    """Read the records of a run.

    Raises:
        UserError: the folder is none, or holds no run.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not any((folder / name).is_file() for name in MARKS):
        jobs = any((job / name).is_file() for job in below(folder) for name in MARKS)
        hint = f"; its folders have: name them, {folder}/*" if jobs else ""
        raise UserError(f"{folder} is no run folder: it has no {', '.join(MARKS)}{hint}")
    run = Run(folder)
    run.curves_text = _text(run, "metrics.csv", MAX_CURVES)
    run.record = _node(run, "run.json")
    run.floors = _node(run, FLOORS_FILE) if (folder / FLOORS_FILE).exists() else {}
    run.config_text = _text(run, "config.yaml", MAX_RECORD)
    run.config = _config(run)
    run.log = list(_log(run)) if (folder / "run.log").exists() else []
    run.generators = {name: found for name in GENERATORS if (found := _metadata(folder / name))}
    read_evaluations(run, MOST_EVALUATIONS)
    return run


def read_evaluations(run: Run, most: int) -> None:
    """Read the newest `most` evaluation*.json of a folder, the newest one last."""
    files = sorted(run.folder.glob("evaluation*.json"), key=lambda file: file.lstat().st_mtime)
    for file in files[-most:]:
        run.evaluations[file.name] = _node(run, file.name)


def below(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder, by name; links to folders are none."""
    yield from sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())


def _text(run: Run, name: str, limit: int) -> str:
    try:
        return read_small(run.folder / name, limit, follow=False).decode(errors="replace")
    except FileNotFoundError:
        run.remarks.append(f"{name} is not there.")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        run.remarks.append(f"{name} could not be read ({reason}).")
    return ""


def _node(run: Run, name: str) -> Node:
    text = _text(run, name, MAX_RECORD)
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    run.remarks.append(f"{name} is no JSON record.")
    return {}


def _config(run: Run) -> Node:
    try:
        found = yaml.safe_load(run.config_text) or {}
    except (yaml.YAMLError, RecursionError, ValueError):
        found = None
    if isinstance(found, dict):
        return found
    run.remarks.append("config.yaml is no YAML mapping.")
    return {}


def _log(run: Run) -> Iterator[tuple[str, str, str]]:
    """Yield what the doctor said: (time, images seen, words), or ("", "", line) of other lines."""
    lines = _text(run, "run.log", MAX_RECORD).splitlines()
    if len(lines) > MOST_LINES:
        run.remarks.append(f"run.log has {len(lines):,} lines: the last {MOST_LINES} are shown.")
    for line in lines[-MOST_LINES:]:
        said = _SAID.fullmatch(line)
        yield (said["when"], said["seen"], said["words"]) if said else ("", "", words(line))


def _metadata(file: Path) -> Node:
    """Return what a generator file says of itself; {} if it cannot be read."""
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):
            return {}
        found = strict_json(tensor_header(file).get("gan_lightning", "{}"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
