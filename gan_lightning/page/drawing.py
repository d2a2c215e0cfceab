"""A digit drawn by hand: brought into the data's form, classified, judged, inverted."""

import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import Judge, read_judge
from gan_lightning.export.rebuild import Trust
from gan_lightning.page.asked import BadRequest
from gan_lightning.page.player import Player
from gan_lightning.pixels import to_uint8, to_unit_range, visible
from gan_lightning.sampling.invert import invert
from gan_lightning.system.files import sha256

SIDE, BOX = 28, 20  # MNIST's frame, and the box that a digit fits in
EMBEDDED_BOX = 28  # scikit-learn's digits fill theirs
MAX_SIDE, FAINTEST = 1024, 0.1  # of a drawing; of ink
STEPS = 120  # of the inversion: a second for the default generator
CLASSIFIERS = {"mnist": "mnist", "digits": "digits"}  # data set -> shipped network


class Studio:
    """Answers about drawings; networks are read when they are first asked."""

    def __init__(self, player: Player, trust: Trust = None) -> None:
        self.player, self.trust = player, trust
        self._lock, self._busy = threading.RLock(), threading.Lock()
        self._found: dict[str, Any] = {}

    def warm_up(self) -> None:
        """Read both networks now: seconds that the first drawing would wait."""
        for ask in (self.classifier, self.judge):
            with suppress(UserError):  # said where it is asked for
                ask()

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if name not in self._found:
                try:
                    self._found[name] = make()
                except UserError as error:
                    self._found[name] = error
            if isinstance(self._found[name], UserError):
                raise self._found[name]
            return self._found[name]

    def classifier(self) -> Any:
        """Return the shipped classifier of the generator's data; UserError if there is none."""

        def make() -> Any:
            dataset = self.player.metadata.dataset
            if dataset not in CLASSIFIERS:
                raise UserError(f"No classifier of {dataset} comes with the project.")
            from gan_lightning.metrics.features.classifier import shipped_feature_network  # slow

            return shipped_feature_network(CLASSIFIERS[dataset])

        return self._once("classifier", make)

    def judge(self) -> Judge:
        """Return D; UserError if there is a generator file alone."""

        def make() -> Judge:
            try:
                return read_judge(self.player.file, self.trust)
            except UserError as error:
                raise UserError(f"There is no discriminator to judge it. {error}") from error

        return self._once("judge", make)

    def look(self, png: bytes, label: int | None) -> dict[str, Any]:
        """Return the drawing as the data's, what the classifier says, and P(fake) by D.

        D is told the class that was found, or else `label`.
        """
        image = self.prepared(png)
        answer: dict[str, Any] = {"picture": plain(image), "label": label}
        try:
            p = self.classifier().embed(image).logits[0].softmax(0).tolist()
            guess, known = int(np.argmax(p)), self.player.metadata.labels
            answer |= {"p": p, "guess": guess}
            if guess in known or not known:
                answer["label"] = guess
        except UserError as error:
            answer["classifier"] = str(error)
        return answer | self.verdict(image)

    def verdict(self, images: Tensor) -> dict[str, Any]:
        """Return {"pFake": ..., "calibrated": ...}, or {"judge": why there is none}."""
        try:
            judge = self.judge()
            found = [round(p, 4) for p in judge.p_fake(images).tolist()]  # as calibrated: any label
            known = judge.calibration
            fitting = known is not None and known.fakes_of.startswith(sha256(self.player.file))
            return {"pFake": found, "calibrated": fitting}
        except (UserError, ValueError) as error:
            return {"judge": str(error)}

    def nearest(self, png: bytes, label: int | None) -> dict[str, Any]:
        """Return the nearest fake of that label (None: any), its latent, and how far it is."""
        image, known = self.prepared(png), self.player.metadata.labels
        if not self._busy.acquire(timeout=20):
            raise BadRequest("another drawing is being inverted: try again")
        try:
            labels = known if label is None else [label]
            found = invert(self.player.generator, image, labels, steps=STEPS)
        finally:
            self._busy.release()
        error = float(found.errors[0])
        latent = [round(x, 4) for x in found.z[0].tolist()]
        y = None if found.y is None else int(found.y[0])
        answer = {"picture": plain(found.images), "z": latent, "y": y, "error": error}
        answer["moved"] = found.moved
        return answer | self.verdict(found.images.float())

    def prepared(self, png: bytes) -> Tensor:
        """Return the drawing [1, C, H, W] in [-1, 1] in the size and place that the data has."""
        embedded = self.player.metadata.dataset == "digits"
        image = centred(read_png(png), EMBEDDED_BOX if embedded else BOX)
        from gan_lightning.data.images import resize  # slow import

        if embedded:  # what is learnt has 8 x 8 pixels, made larger
            image = resize(image, 8)
        channels, height, _ = self.player.metadata.image_shape
        return to_unit_range(resize(image, height)).expand(-1, channels, -1, -1).contiguous()


def read_png(png: bytes) -> np.ndarray:
    """Return ink float32[H, W] in [0, 1] of a PNG, white on black; BadRequest if it is none."""
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as picture:
            if max(picture.size) > MAX_SIDE:
                raise BadRequest(f"a drawing has at most {MAX_SIDE} x {MAX_SIDE} pixels")
            ink = np.asarray(picture.convert("L"), np.float32) / 255
    except BadRequest:
        raise
    except Exception as error:  # PIL raises a dozen kinds at damaged files
        raise BadRequest("the drawing is no PNG picture, or a damaged one") from error
    if ink.max() < FAINTEST:
        raise BadRequest("the drawing is empty: draw something first")
    return ink


def centred(ink: np.ndarray, box: int) -> Tensor:
    """Return uint8[1, 1, 28, 28]: the ink fitted into the box, its mass at the centre.

    Source: LeCun et al. 1998, Gradient-based learning applied to document recognition, section
    III.A, and the MNIST page: a box of 20 pixels, centred by mass.
    """
    rows, columns = (np.flatnonzero((ink > FAINTEST).any(axis)) for axis in (1, 0))
    cut = torch.from_numpy(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy())
    factor = box / max(cut.shape)
    size = [max(1, round(side * factor)) for side in cut.shape]
    shrunk = F.interpolate(cut[None, None], size, mode="bilinear", antialias=True)[0, 0]
    shrunk = (shrunk / shrunk.max()).clamp(0, 1)
    frame = torch.zeros(SIDE, SIDE)
    place = []
    for axis, side in enumerate(size):
        mass = shrunk.sum(1 - axis)
        centre = float((mass * torch.arange(side)).sum() / mass.sum()) + 0.5
        place.append(min(max(round(SIDE / 2 - centre), 0), SIDE - side))
    frame[place[0] : place[0] + size[0], place[1] : place[1] + size[1]] = shrunk
    return (frame * 255).round().to(torch.uint8)[None, None]


def plain(images: Tensor) -> dict[str, Any]:
    """Return the first of images [N, C, H, W] in [-1, 1] as JSON: its shape and pixels."""
    shown = visible(to_uint8(images.detach().float()))[0]
    return {"shape": list(shown.shape), "pixels": shown.flatten().tolist()}
