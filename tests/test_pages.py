"""Every path, command and setting that a page names is there, and what CONTRIBUTING shows works."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import sample
from gan_lightning.config.schema import resolved
from tests.commands import jobs_on, not_composing, wrong_commands
from tests.config.test_conf import GROUPS, ONE_STEP, take_a_step
from tests.conftest import CONF, ROOT, Command, compose_config
from tests.pages import PAGES, examples, missing, wrong_imports

SETTINGS = (ROOT / "docs" / "settings.md").read_text()
EXAMPLES = examples((ROOT / "CONTRIBUTING.md").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text(), page.parent) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_pages_commands_exist(page: Path) -> None:
    assert wrong_commands(page.read_text()) == []


def test_what_pages_show_composes() -> None:
    assert not_composing([job for page in PAGES for job in jobs_on(page.read_text())]) == []


@pytest.mark.parametrize(
    "text",
    [
        "[page](docs/nowhere.md)",
        "[heading](docs/metrics.md#nowhere)",
        "`training/gam.py`",
        "`tests/fault`",
        "`gan_lightning/trainin/`",
        "```python\nfrom gan_lightning.losses import Hing\n```",
    ],
)
def test_what_is_not_there_is_found(text: str) -> None:
    assert len(missing(text)) == 1


@pytest.mark.parametrize(
    "command",
    [
        "pyhton train.py",
        "python trian.py",
        "python -m gan_lightning.features data=mnist",
        "python benchmarks/zoo.py --recipe dcgan",
        "make tests",
        "pip install -e '.[al]'",
        "cd there && pytest tests/fault",
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    assert wrong_commands(f"```bash\n{command}  # so\n```")


@pytest.mark.parametrize(
    "text",
    [
        "```bash\npython train.py \\\n  loss=hinj\n```",
        "```bash\npython train.py -m seed=0,1 loss=hinge,hinj\n```",
        "```bash\npython train.py 'data.classes=[3'\n```",
        "```bash\npython evaluate.py data=cifar\n```",
        "`python sample.py samples=3`",
        '`make train ARGS="experiment=quikstart"`',
        "`trainer.max_epoch=3`",
        "`loss=hinge optimizer.learning_rate=1`",
    ],
)
def test_overrides_that_do_not_compose_are_found(text: str) -> None:
    fine = ("config", ("seed=1",))
    (found,) = not_composing([fine, *jobs_on(text), fine])
    assert "seed=1:" not in found


def section(title: str) -> str:
    """Return a part of docs/settings.md, without what is below its own smaller headings."""
    (part,) = re.findall(rf"^##+ {re.escape(title)}\b.*?\n(.*?)(?=^##|\Z)", SETTINGS, re.M | re.S)
    return part


def rows(title: str, column: str) -> set[str]:
    """Return the names in the first column of the tables of a section that have such a column."""
    tables = re.findall(rf"^\| {column} \|.*?\n\|-.*?\n((?:\|.*\n)+)", section(title), re.M)
    cells = [row.split("|")[1] for table in tables for row in table.splitlines()]
    return {name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)}


def load(path: Path) -> dict[str, Any]:
    node = yaml.safe_load(path.read_text())
    return {key: value for key, value in node.items() if key not in ("defaults", "hydra")}


@pytest.mark.parametrize("group", GROUPS)
def test_settings_has_every_option_of_a_group(group: str) -> None:
    assert rows(group, "option") == {path.stem for path in (CONF / group).glob("*.yaml")}


def test_settings_has_every_key() -> None:
    trainer = {f"trainer.{key}" for key in load(CONF / "trainer/default.yaml") if key[0] != "_"}
    assert rows("Top-level keys", "key") == load(CONF / "config.yaml").keys()
    assert rows("trainer", "key") == trainer
    assert rows("sample.py", "key") == load(CONF / "sample.yaml").keys() | {"mode", "data"}
    named = set(re.findall(r"`([\w.]+)`", section("evaluate.py")))
    assert load(CONF / "evaluate.yaml").keys() - named == {"metrics"}  # its one key is there
    files = [CONF / "shared/image_data.yaml", *(CONF / "data").glob("*.yaml")]
    known = {f"data.{key}" for path in files for key in load(path)}
    assert rows("data", "key") <= known


def test_readme_lists_what_a_run_folder_holds(run_folder: Path) -> None:
    block = (ROOT / "README.md").read_text().partition("The run folder holds:")[2].split("```")[1]
    listed = [line.split()[0] for line in block.splitlines() if line.strip()]
    there = {path.name for path in run_folder.iterdir() if path.name[0] != "."}
    events = {name for name in there if name.startswith("events.out.tfevents.")}
    assert there - events <= {name.partition("/")[0] for name in listed}
    assert {"report.html", "samples.gif"} <= there & set(listed)


@pytest.mark.parametrize("script", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.name)
def test_what_a_benchmark_imports_is_there(script: Path) -> None:
    assert wrong_imports(script.read_text()) == []


def test_architecture_has_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    there = [path for path in (ROOT / "gan_lightning").iterdir() if path.name[0] != "_"]
    rooms = {f"{path.name}/" if path.is_dir() else path.name for path in there}
    assert set(re.findall(r"^  ([\w.]+/?) ", page, re.M)) == rooms


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write CONTRIBUTING's examples to a folder, whose modules are then this package's."""
    before = set(sys.modules)
    for name, content in EXAMPLES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for folder in (tmp_path / "gan_lightning").iterdir():
        package = importlib.import_module(f"gan_lightning.{folder.name}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    yield tmp_path
    for name in set(sys.modules) - before:
        if f"{name.replace('.', '/')}.py" in EXAMPLES:
            del sys.modules[name]


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.endswith(".yaml") and "/mode/" not in path]
)
def test_what_contributing_shows_takes_a_step(path: str, written: Path) -> None:
    _, group, file = path.split("/")
    where = (f"hydra.searchpath=[file://{written}/conf]", f"run_dir={written}")
    step = [item for item in ONE_STEP if not item.startswith(f"{group}=")]
    callbacks = "callbacks=none" if group != "callbacks" else "callbacks.scores=null"
    chosen = f"{group}={file.removesuffix('.yaml')}"
    config = resolved(compose_config(*where, chosen, *step, callbacks, "logger=csv"))
    take_a_step(config, written)
    if group == "callbacks":
        assert "weight_norm/G" in (written / "metrics.csv").read_text()


def test_the_mode_that_contributing_shows_draws(
    written: Path, run_folder: Path, command: Command
) -> None:
    asked = (f"--config-dir={written / 'conf'}", "mode=mirror", f"generator={run_folder}")
    ended = command(*asked, "output=x.npz", script=sample)
    assert ended.status == 0, ended.err
    with np.load("x.npz") as arrays:
        assert arrays["images"].shape[0] == 16


def test_the_page_of_use_has_every_mode_and_its_keys() -> None:
    page = (ROOT / "docs" / "use.md").read_text()
    rows = dict(re.findall(r"^\| \**`(\w+)`\** \|.*\| (.*)\|$", page, re.M))
    modes = {file.stem: load(file) for file in (CONF / "mode").glob("*.yaml")}
    assert rows.keys() == modes.keys()
    for name, node in modes.items():
        assert set(re.findall(r"`(\w+)`", rows[name])) == {k for k in node if k[0] != "_"}, name
