"""The pictures of a run over time: as data of the page, and as a GIF."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw

from gan_lightning.report.folder import below
from gan_lightning.system.files import atomic_write
from gan_lightning.system.untrusted import read_small

GIF_FILE = "samples.gif"
MOST_BYTES = 2_300_000  # of all pictures of a page, in base64
MOST_GIF = 2_000_000
MOST_FRAMES, MOST_STRIPS = 120, 4
MAX_FILE, MAX_SIDE = 1 << 24, 8192  # bytes and pixels of a picture that is read
SHOWN_SIDE, GIF_SIDE, SMALL = 1024, 640, 240  # pixels
SECONDS = 6  # that a whole GIF takes
CAPTION = 14  # pixels below a frame of the GIF
Item = TypeVar("Item")


@dataclass
class Strip:
    """One kind of picture, in the order of images seen."""

    name: str
    files: list[tuple[int, Path]] = field(default_factory=list)  # (images seen, PNG)


def find_strips(folder: Path) -> list[Strip]:
    """Return the grids of samples/ and the pictures of the folders in it."""
    top = folder / "samples"
    places = [top, *below(top)][: MOST_STRIPS + 1] if top.is_dir() else []
    strips = []
    for place in places:
        named = [file for file in place.glob("*.png") if re.fullmatch(r"[0-9]{1,15}", file.stem)]
        if named:
            files = sorted((int(file.stem), file) for file in named)
            strips.append(Strip(place.name, files))
    return strips


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most `most` items, evenly spread, the last among them, and the first if two."""
    if len(items) <= most:
        return [*items]
    if most < 2:
        return [items[-1]]
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def opened(file: Path) -> Image.Image | None:
    """Return a picture, grey or in colour; None if it is none that can be shown."""
    try:
        content = io.BytesIO(read_small(file, MAX_FILE, follow=False))
        image = Image.open(content, formats=["PNG"])
        if max(image.size) > MAX_SIDE:
            return None
        return image.convert("L" if image.mode in ("1", "L") else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def embedded(strip: Strip, budget: int, remarks: list[str]) -> list[tuple[int, str]]:
    """Return (images seen, data: address) of as many pictures as fit into `budget` characters."""
    ready: dict[Path, str] = {}
    most = MOST_FRAMES
    while True:
        chosen = evenly(strip.files, most)
        for _, file in chosen:
            if file not in ready:
                ready[file] = _address(file)
        size = sum(len(ready[file]) for _, file in chosen)
        if size <= budget or most <= 1:
            break
        most = max(1, min(len(chosen) - 1, int(len(chosen) * budget / size)))
    if len(chosen) < len(strip.files):
        remarks.append(
            f"{len(chosen):,} of {len(strip.files):,} pictures of {strip.name} are in this page, "
            "evenly spread, to keep it small."
        )
    broken = [file.name for _, file in chosen if not ready[file]]
    if broken:
        remarks.append(
            f"No readable pictures ({strip.name}): {', '.join(broken[:5])}"
            f"{' ...' if len(broken) > 5 else '.'}"
        )
    return [(seen, ready[file]) for seen, file in chosen if ready[file]]


def _address(file: Path) -> str:
    """Return a picture written anew as a data: address; "" if it is none."""
    image = opened(file)
    if image is None:
        return ""
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def write_gif(strip: Strip, path: Path) -> int:
    """Write the pictures as a GIF of at most `MOST_GIF` bytes; return how many are in it.

    Frames are skipped evenly until it fits. Pictures of another size than the last are left out.
    """
    frames = [
        (seen, image)
        for seen, file in evenly(strip.files, MOST_FRAMES)
        if (image := opened(file)) is not None
    ]
    frames = [(seen, image) for seen, image in frames if image.size == frames[-1][1].size]
    drawn = [_frame(image, seen) for seen, image in frames]
    content = b""
    while drawn:
        content = _gif(drawn)
        if len(content) <= MOST_GIF or len(drawn) == 1:
            break
        drawn = evenly(drawn, min(len(drawn) - 1, int(len(drawn) * MOST_GIF / len(content))))
    if drawn and len(content) <= MOST_GIF:
        atomic_write(path, lambda file: file.write_bytes(content))
        return len(drawn)
    return 0


def _frame(image: Image.Image, seen: int) -> Image.Image:
    """Return a picture, larger if it is tiny, above a line that says how many images were seen."""
    image.thumbnail((GIF_SIDE, GIF_SIDE))
    factor = -(-SMALL // max(image.size))
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    frame = Image.new(image.mode, (image.width, image.height + CAPTION), "white")
    frame.paste(image)
    ImageDraw.Draw(frame).text((3, image.height + 1), f"{seen:,} images seen", fill="black")
    return frame


def _gif(frames: list[Image.Image]) -> bytes:
    buffer = io.BytesIO()
    pause = max(60, min(500, SECONDS * 1000 // len(frames)))  # milliseconds
    durations = [pause] * (len(frames) - 1) + [4 * pause]
    first, *more = frames
    first.save(buffer, "GIF", save_all=True, append_images=more, duration=durations, loop=0)
    return buffer.getvalue()
