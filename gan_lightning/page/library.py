"""The recordings that the lab can show: those that come with the package, and one's own."""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

from gan_lightning.errors import UserError
from gan_lightning.export.lab_file import LAB_FILE, read_lab

SHIPPED = Path(__file__).parent / "recordings"
MOST = 40  # of one's own, in one folder


class Recordings:
    """Recordings by their number in the list."""

    def __init__(self, own: list[Path]) -> None:
        self.own = own
        self.paths = [*own, *sorted(SHIPPED.glob("*.npz"))]

    @lru_cache(maxsize=1)  # noqa: B019  # there is one for the whole process
    def listed(self) -> list[dict[str, Any]]:
        """Return what each is, without its arrays."""
        found = []
        for number, path in enumerate(self.paths):
            about, _ = read_lab(path)
            own = number < len(self.own)
            name = f"{about['title']} ({path.parent.name})" if own else about["title"]
            entry = {"id": number, "title": name, "data": about["data"], "kind": about["kind"]}
            found.append(entry | {"own": own})
        return found

    def read(self, number: int) -> dict[str, Any]:
        """Return a recording as JSON: arrays as base64 of little-endian numbers."""
        about, arrays = read_lab(self.paths[number])
        packed = {
            name: {
                "type": array.dtype.str.lstrip("<|"),
                "shape": list(array.shape),
                "data": base64.b64encode(array.tobytes()).decode(),
            }
            for name, array in arrays.items()
        }
        return {"about": about, "arrays": packed}


def find_recordings(folder: Path | None, run: Path | None) -> Recordings:
    """Return those of a folder, of a run, and the shipped ones.

    Raises:
        UserError: there is none in the folder, or one of them cannot be read.
    """
    own = [run / LAB_FILE] if run and (run / LAB_FILE).is_file() else []
    if folder is not None:
        found = [folder] if folder.is_file() else sorted(folder.glob(f"**/{LAB_FILE}"))[:MOST]
        if not found:
            words = "record one by python train.py callbacks=lab, or leave lab out"
            raise UserError(f"lab={folder}: no {LAB_FILE} there; {words}")
        own += [path for path in found if path not in own]
    recordings = Recordings(own)
    recordings.listed()  # says now if one cannot be read
    return recordings
