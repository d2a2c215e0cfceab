"""What docs/export.md shows for the Hub, by huggingface_hub's own code and without a network."""

import re
from pathlib import Path
from typing import Any

import pytest

from gan_lightning.export.folder import NAMES, Asked, export
from tests.conftest import ROOT
from tests.export.exported import generator_file

hub = pytest.importorskip("huggingface_hub")
PAGE = (ROOT / "docs" / "export.md").read_text()


def test_the_page_pushes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = generator_file(tmp_path / "run", "MLPGenerator", num_classes=3)
    export(Asked(str(file), "torch", str(tmp_path / "digits")), str)
    monkeypatch.chdir(tmp_path)
    calls: list[tuple[str, Any]] = []
    committed: list[str] = []

    def create_repo(self: Any, repo_id: str, **options: Any) -> None:
        calls.append((repo_id, options))

    def create_commit(self: Any, repo_id: str, operations: Any, **options: Any) -> Any:
        """Take what upload_folder found in the folder, where it would be sent."""
        for operation in operations:
            with operation.as_file() as content:
                assert content.read()
            committed.append(operation.path_in_repo)
        return hub.CommitInfo("https://huggingface.co/USER/digits/commit/x", "", "", "x")

    monkeypatch.setattr(hub.HfApi, "create_repo", create_repo)
    monkeypatch.setattr(hub.HfApi, "create_commit", create_commit)
    # Asks the server whether the front matter is good, test_card.py asks the library; and the
    # large files' own way to the server, which goes around create_commit.
    asked: list[str] = []
    validate = lambda self, content, **_: asked.append(content)  # noqa: E731
    monkeypatch.setattr(hub.HfApi, "_validate_yaml", validate)
    monkeypatch.setattr("huggingface_hub.hf_api.is_xet_available", lambda: False)
    (code,) = [c for c in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "HfApi" in c]
    exec(compile(code, "docs/export.md", "exec"), {})
    assert calls == [("USER/digits", {"exist_ok": True})]
    assert asked == [(tmp_path / "digits" / "README.md").read_text()]
    assert set(committed) == NAMES - {"generator.onnx"}


def test_the_page_says_what_the_command_takes() -> None:
    from gan_lightning.export.__main__ import KEYS

    table = PAGE.partition("| key |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| (\w+) \|", table, re.M)) == tuple(KEYS)
