"""Records a training for the lab of `python -m gan_lightning.page`: D's steps apart from G's."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from PIL import Image
from torch import Tensor
from torch.optim import Optimizer

from gan_lightning.callbacks.context import context
from gan_lightning.callbacks.doctor.measure import snapshot
from gan_lightning.callbacks.lab_panel import Look, Panel, choose_panel, look, middle_of
from gan_lightning.data import DataModule
from gan_lightning.errors import UserError
from gan_lightning.export.lab_file import UNIT, VERSION, Arrays, read_lab, save_lab, scaled
from gan_lightning.pixels import grid, to_uint8
from gan_lightning.ranges import Count, Seed, validated
from gan_lightning.training.base import GenerativeModule
from gan_lightning.training.calls import EndsCalls
from gan_lightning.training.gan import GANModule

QUALITY = 40  # of the WebP pictures: 2 kB for 20 digits
LEVELS = 63  # of D's field: a quarter of the bytes that 255 pack into


@validated
class LabRecorder(Callback, EndsCalls):
    """Looks at some steps three times: before, after D's part, after G's; writes `lab.npz`.

    The looks are at copies of the networks, with fixed reals and latents, by the first process
    alone: the training is the same with and without. A resumed run keeps the earlier points.

    Args:
        file: where to; see `export/lab_file.py` for what is in it.
        title: what the page calls the recording; None: loss and penalty.
        points: how many steps, spaced as squares, for most happens at the start.
        seed: of the latents.
    """

    def __init__(
        self, file: str, title: str | None = None, points: Count = 60, seed: Seed = 0
    ) -> None:
        self.file, self.title, self.points, self.seed = Path(file), title, points, seed
        self._panel: Panel | None = None
        self._at: list[int] = []  # images seen, of the steps to come
        self._looking = False  # whether the present step is one of them
        self._looks: list[Look] = []  # at the present step
        self._seen = 0  # where it began
        self._middle = 0.0  # the logit that counts as undecided in it
        self._about: dict[str, Any] = {}
        self._once: Arrays = {}
        self._rows: list[Arrays] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Choose what is looked at and when; UserError if there is nothing to show."""
        module, data = context(trainer, pl_module)
        if not isinstance(module, GANModule):
            raise UserError("callbacks=lab records D and G: this method has no discriminator")
        batch = data.loader_batch_size * trainer.world_size
        last = int(trainer.max_epochs or 0) * int(trainer.num_training_batches) * batch - batch
        if last < 0:
            raise UserError("callbacks=lab needs trainer.max_epochs, to spread its points over")
        share = max(self.points - 1, 1)
        spread = sorted({round(last * (k / share) ** 2) for k in range(self.points)})
        self._at = [place for place in spread if place >= module.images_seen]
        if not trainer.is_global_zero:
            return
        self._panel = choose_panel(module, data, self.seed)
        self._describe(module, data, batch)
        if module.images_seen and self.file.is_file():
            self._go_on(module.images_seen)

    def _describe(self, module: GANModule, data: DataModule, batch: int) -> None:
        assert self._panel is not None
        panel = self._panel
        self._about = {
            "version": VERSION,
            "kind": "points" if data.dots else "images",
            "title": self.title or recipe(module),
            "data": data.name,
            "answers": panel.answers,
            "batch": batch,
            "steps": [module.d_steps, module.g_steps],
        }
        if data.dots:
            self._once = {"reals": places(panel.real)}
        else:
            columns = panel.columns
            shape = {"columns": columns, "fakes": len(panel.z), "side": panel.real.shape[-1]}
            self._about |= shape
            self._once = {"picture": webp(panel.real, columns)}

    def _go_on(self, seen: int) -> None:
        """Keep the points before the place where the run goes on."""
        about, old = read_lab(self.file)
        if about["kind"] != self._about["kind"]:
            raise UserError(f"{self.file} is of another training: delete it, or move it away")
        for t in np.flatnonzero(old["seen"] < seen):
            per_point = set(old) - {"reals", "pictures", "ends"}
            row = {name: old[name][t] for name in per_point}
            if "ends" in old:
                row["picture"] = old["pictures"][old["ends"][t] : old["ends"][t + 1]]
            self._rows.append(row)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any
    ) -> None:
        """Look before the step."""
        module, _ = context(trainer, pl_module)
        self._looking = self._due(module)
        if self._looking:
            self._at = [place for place in self._at if place > module.images_seen]
        if self._looking and self._panel:
            self._looks, self._seen = [self._look(module)], module.images_seen

    def _due(self, module: GenerativeModule) -> bool:
        return bool(self._at) and module.images_seen >= self._at[0]

    def ends_call(self, module: GenerativeModule) -> bool:
        """Whether the step was one that is looked at, or the next one is."""
        return self._looking or self._due(module)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Look when D's part is done: G is about to be stepped for the first time."""
        if len(self._looks) == 1:
            module, _ = context(trainer, pl_module)
            if module.optimizer("G").optimizer is optimizer:
                self._looks.append(self._look(module))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Look after the step, and write the file."""
        if len(self._looks) != 2:
            return
        module, data = context(trainer, pl_module)
        looks = [*self._looks, self._look(module)]
        self._looks = []
        self._rows.append(self._row(looks, data))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        save_lab(self.file, self._about, self._arrays())

    def _look(self, module: Any) -> Look:
        assert self._panel is not None
        networks = snapshot(module.generator), snapshot(module.discriminator)
        if not self._looks:
            self._middle = middle_of(self._panel, *networks)
        return look(self._panel, *networks, module.loss, self._middle)

    def _row(self, looks: list[Look], data: DataModule) -> Arrays:
        assert self._panel is not None
        before, after_d, after_g = looks
        row: Arrays = {
            "seen": np.array(self._seen, np.int64),
            "losses": np.array([one.losses for one in looks], np.float32),
            "means": np.array([one.means for one in looks], np.float32),
        }
        if not data.dots:
            row["answers"] = np.stack([shade(one.answers) for one in looks])
            return row | {"picture": webp(before.fakes, self._panel.columns)}
        row |= {"field": shade(after_d.field, LEVELS), "fakes": places(before.fakes)}
        values = {
            "change": (after_d.field - before.field)[::2, ::2],
            "moves": (after_g.fakes - before.fakes).flatten(1),
            "pulls": after_d.pulls.flatten(1),
        }
        for name, value in values.items():
            row[name], row[f"{name}_scale"] = scaled(value.numpy())
        return row

    def _arrays(self) -> Arrays:
        names = [name for name in self._rows[0] if name != "picture"]
        arrays = {name: np.stack([row[name] for row in self._rows]) for name in names}
        if self._about["kind"] == "points":
            return arrays | self._once
        pictures = [self._once["picture"], *(row["picture"] for row in self._rows)]
        ends = np.cumsum([len(one) for one in pictures]).astype(np.int64)
        return arrays | {"pictures": np.concatenate(pictures), "ends": ends}


def recipe(module: GANModule) -> str:
    """Return loss and penalty in words: `NonSaturating, R1 0.01`."""
    penalty, weight = module.penalty, getattr(module.penalty, "weight", None)
    inner = getattr(penalty, "penalty", None)
    name = type(penalty).__name__ + (f" {type(inner).__name__}" if inner else "")
    words = "no penalty" if name == "NoPenalty" else f"{name} {weight:g}" if weight else name
    return f"{type(module.loss).__name__}, {words}"


def places(points: Tensor) -> np.ndarray:
    """Return points [N, 2, 1, 1] as int16[N, 2]."""
    return (points.flatten(1).clamp(-1.9, 1.9) * UNIT).round().to(torch.int16).numpy()


def shade(answers: Tensor, levels: int = 255) -> np.ndarray:
    """Return answers in [0, 1] as uint8 from 0 to 255, rounded to so many steps."""
    return ((answers * levels).round() * (255 / levels)).round().to(torch.uint8).numpy()


def webp(images: Tensor, columns: int) -> np.ndarray:
    """Return the bytes of a grid of images in [-1, 1] as a WebP picture."""
    picture = grid(to_uint8(images), len(images), columns).permute(1, 2, 0).numpy()
    file = BytesIO()
    flat = picture[:, :, 0] if picture.shape[2] == 1 else picture
    Image.fromarray(flat).convert("RGB").save(file, "WEBP", quality=QUALITY, method=6)
    return np.frombuffer(file.getvalue(), np.uint8)
