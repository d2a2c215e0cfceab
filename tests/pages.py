"""What a page names: paths, headings and this package's names, and whether they are there."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BASES = (ROOT, ROOT / "gan_lightning")  # what a path may be relative to, beside its page

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
EXAMPLE = re.compile(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
SUFFIXES = {".py", ".md", ".yaml", ".toml", ".ipynb"}
OF_USERS = {
    "config.yaml",
    "usage.py",
    "outputs/",
    "data/",
    "train/",
    "test/",
}  # what runs and users' folders hold


def missing(text: str, folder: Path = ROOT) -> list[str]:
    """Return a line for everything that a page in a folder names and that is not there."""
    found = [wrong_link(target, text, folder) for target in links(text)]
    found += [wrong_path(name, folder) for name in paths(text) if name not in examples(text)]
    for language, code in FENCE.findall(text):
        found += wrong_imports(code) if language == "python" else []
    return [fault for fault in found if fault]


def examples(text: str) -> dict[str, str]:
    """Return path -> content of the files that a page tells to write."""
    return dict(EXAMPLE.findall(text))


def links(text: str) -> Iterator[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text))
    yield from (target for target in found if "://" not in target)


def spans(text: str) -> Iterator[str]:
    """Yield what stands between backticks."""
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", text)))


def paths(text: str) -> Iterator[str]:
    for span in spans(text):
        name = span.partition("::")[0]
        if not PATH.fullmatch(name) or name in OF_USERS:
            continue
        top = name.partition("/")[0]
        below = "/" in name and any((base / top).is_dir() for base in BASES)
        if below or name.endswith("/") or Path(name).suffix in SUFFIXES:
            yield name


def wrong_path(name: str, folder: Path) -> str:
    there = any(any(base.glob(name.rstrip("/"))) for base in (*BASES, folder))
    return "" if there else f"{name} is not there"


def wrong_link(target: str, text: str, folder: Path) -> str:
    name, _, anchor = target.partition("#")
    path = (folder / name).resolve()
    if name and not path.exists():
        return f"{target} is not there"
    headings = re.findall(r"^#+ (.*)$", path.read_text() if name else text, re.M) if anchor else []
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return f"{target}: no such heading" if anchor and anchor not in slugs else ""


def wrong_imports(code: str) -> list[str]:
    """Return the names of this package that a block imports and that are not there."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("gan_lightning"):
            module = importlib.import_module(str(node.module))
            names = [f"{node.module}.{a.name}" for a in node.names if not hasattr(module, a.name)]
            found += [f"no {name}" for name in names]
    return found
