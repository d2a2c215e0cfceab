"""What the loggers of tools that people install share: the package, and the run in the tool."""

import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from gan_lightning.errors import UserError
from gan_lightning.system.files import atomic_write

TOOLS_FILE = "loggers.json"
PROJECT = "gan-lightning"


class Tool:
    """Mixed into a logger that keeps a run of its own kind: a resumed run goes on in the same one.

    `loggers.json` in the run folder has its id, and the command that shows it.
    """

    package: ClassVar[str]  # on PyPI; the extra has the same name
    folder: Path  # the run's
    log_hyperparams: Callable[..., None]  # a logger's

    @classmethod
    def require(cls) -> None:
        """Raise UserError if the package is not installed."""
        try:
            version(cls.package)
        except PackageNotFoundError as error:
            way = f"pip install -c constraints.txt -e '.[{cls.package}]'"
            raise UserError(f"logger={cls.package} needs {cls.package}: {way}") from error

    @property
    def known_id(self) -> str | None:
        """The id of this run in the tool; None if it has none yet."""
        return tools_of(self.folder).get(self.package, {}).get("id")

    def keep(self, run_id: str, show: str) -> None:
        """Write down the id, and the command that shows the run."""
        content = tools_of(self.folder) | {self.package: {"id": run_id, "show": show}}
        text = json.dumps(content, indent=2) + "\n"
        atomic_write(self.folder / TOOLS_FILE, lambda file: file.write_text(text))

    @property
    def title(self) -> str:
        """The name of the run: its folder and the one above, a day or a sweep."""
        return "-".join(self.folder.absolute().parts[1:][-2:])

    def picture(self, tag: str, grid: Tensor, images_seen: int) -> None:
        """Show grid[C, H, W], uint8."""
        raise NotImplementedError

    def words(self, tag: str, text: str, images_seen: int) -> None:
        """Show a text; a tool without a place for it shows nothing."""


def tools_of(folder: Path) -> dict[str, Any]:
    """Return the content of loggers.json, by package; {} if it cannot be read."""
    try:
        content = json.loads((folder / TOOLS_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def pixels(grid: Tensor) -> Any:
    """Return grid[C, H, W] as an array [H, W, 3]."""
    return grid.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()
