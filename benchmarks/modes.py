"""Make the pictures of docs/use.md: python benchmarks/modes.py generator=RUN."""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.zoo import command

IMAGES = ROOT / "docs" / "images"
STRIPS = {
    "interpolate": ("mode.rows=4", "mode.stops=3", "mode.steps=6"),
    "traverse": ("mode.dims=[0,1,2,3,4,5]",),
    "sefa": ("mode.directions=6",),
    "neighbours": ("mode.rows=6",),
}
GAP = 12  # pixels between pictures


def main(generator: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for mode, more in STRIPS.items():
            output = Path(folder) / f"{mode}.png"
            asked = (generator, f"mode={mode}", f"output={output}", *more)
            command(Path(folder) / "log", "sample.py", *asked)
            pictures.append(Image.open(output))
        width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
        sheet = Image.new("L", (width, max(picture.height for picture in pictures)), 255)
        left = 0
        for picture in pictures:
            sheet.paste(picture, (left, 0))
            left += picture.width + GAP
        sheet.save(IMAGES / "modes.png")
        judge = Path(folder) / "judge.png"
        asked = (generator, "mode=judge", "train_judge=true", f"output={judge}")
        command(Path(folder) / "log", "sample.py", *asked)
        shutil.copyfile(judge, IMAGES / "judge.png")


if __name__ == "__main__":
    main(sys.argv[1])
