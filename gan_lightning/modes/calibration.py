"""What makes D a judge: a calibration of its logits, and training it on while G is frozen."""

import copy
import dataclasses
from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from gan_lightning.data import DataModule
from gan_lightning.data.held_out import held_out
from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import Judge
from gan_lightning.export.discriminator_metadata import Calibration
from gan_lightning.losses.base import bce
from gan_lightning.modes.base import Subject
from gan_lightning.pixels import to_unit_range
from gan_lightning.sampling.draw import CHUNK, sample_chunk

FEWEST = 20  # held-out reals
MOST = 5000  # held-out reals, and as many fakes
FRESH = 10_000_000  # the first of the fakes' places: nobody looks at these samples by themselves
TRAINED = 200_000  # reals that D sees at most while G is frozen
LOOKS = 20  # at how good it is, on the way
RATE = 1e-3  # of Adam
DECIDED = 0.95  # D is not trained beyond this share of right answers


def held_out_reals(data: DataModule) -> tuple[Tensor, Tensor]:
    """Return images in [-1, 1] that were not trained on, and their labels, in a fixed order."""
    images = held_out(data)
    if len(images) < FEWEST:
        words = f"{len(images)} images that were not trained on: at least {FEWEST} are needed"
        raise UserError(f"mode=judge: {data.name} has {words}")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:MOST]
    x, y = images[order]
    return to_unit_range(x), y


def fresh_fakes(subject: Subject, number: int, first: int = FRESH) -> Tensor:
    """Return samples first, first + 1, ... of the generator, labels in turn."""
    chunks = range(first // CHUNK, (first + number - 1) // CHUNK + 1)
    found = [sample_chunk(subject.generator, i, 0, subject.labels).images for i in chunks]
    return torch.cat(found)[:number]


def calibrate(reals: Tensor, fakes: Tensor, fakes_of: str) -> Calibration:
    """Fit one scale and one offset on the first half of the logits [N] of each kind.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.
    """
    from sklearn.linear_model import LogisticRegression  # slow import

    most = min(len(reals), len(fakes))
    kinds = [logits[:most].double().numpy() for logits in (reals, fakes)]
    half = most // 2
    x = np.concatenate([kind[:half] for kind in kinds])[:, None]
    y = np.repeat([1, 0], half)
    unit = float(x.std()) or 1.0
    fitted = LogisticRegression(C=1e6).fit(x / unit, y)
    scale, offset = float(fitted.coef_[0, 0]) / unit, float(fitted.intercept_[0])
    return Calibration(scale, offset, fakes_of)


def reliability(p_fake: Tensor, fake: Tensor, bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean P(fake), share that are fakes, images) of equal parts of [0, 1] with images."""
    place = (p_fake * bins).long().clamp(max=bins - 1)
    found = []
    for i in range(bins):
        inside = place == i
        if inside.any():
            share = fake[inside].float().mean().item()
            found.append((p_fake[inside].mean().item(), share, int(inside.sum())))
    return found


def train_judge(subject: Subject, judge: Judge, data: DataModule) -> Judge:
    """Train D on, by the plain cost J on reals and fakes, with G frozen, until it decides.

    What is trained is what a judge is asked: of a conditional D its largest answer over all labels.
    `LOOKS` times on the way it is asked about held-out reals and fresh fakes; the best of these is
    kept, and it ends early once D is right about `DECIDED` of them.
    """
    torch.manual_seed(subject.seed)
    d = judge.discriminator.train().requires_grad_()
    optimizer = torch.optim.Adam(d.parameters(), lr=RATE, betas=(0.9, 0.99))
    held, _ = held_out_reals(data)
    held = held[: len(held) // 2]  # the calibration's half: the other one says how good it is
    fakes = fresh_fakes(subject, len(held))
    steps, best, seen, state = TRAINED // CHUNK, 0.0, 0, copy.deepcopy(d.state_dict())
    reals, drawn = _reals(data, subject.seed), _fakes(subject)
    with tqdm(total=steps, desc="training the judge", leave=False, delay=1, disable=None) as bar:
        for step in range(1, steps + 1):
            real, fake = judge.answers(next(reals)), judge.answers(next(drawn))
            loss = bce(real, 1.0) + bce(fake, 0.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            bar.update(1)
            if step % (steps // LOOKS) == 0:
                now = _balanced(judge, held, fakes)
                bar.set_postfix_str(f"right about {now:.1%}")
                if now > best:
                    best, seen, state = now, step * CHUNK, copy.deepcopy(d.state_dict())
                if best >= DECIDED:
                    break
    d.load_state_dict(state)
    d.eval().requires_grad_(False)
    metadata = dataclasses.replace(judge.metadata, trained_on=seen, calibration={})
    return dataclasses.replace(judge, metadata=metadata)


def _balanced(judge: Judge, reals: Tensor, fakes: Tensor) -> float:
    """Return the share of right answers at the threshold that parts the two kinds best."""
    judge.discriminator.eval()
    logits = torch.cat([judge.logits(reals), judge.logits(fakes)])
    judge.discriminator.train()
    real = torch.cat([torch.ones(len(reals)), torch.zeros(len(fakes))])[logits.argsort()]
    below = (1 - real).cumsum(0) + real.sum() - real.cumsum(0)  # fakes below, reals above
    return (below.max() / len(real)).item()


def _reals(data: DataModule, seed: int) -> Iterator[Tensor]:
    random = torch.Generator().manual_seed(seed)
    while True:
        for rows in torch.randperm(len(data.images), generator=random).split(CHUNK):
            yield to_unit_range(data.images[rows][0])


def _fakes(subject: Subject) -> Iterator[Tensor]:
    """Yield samples that are neither looked at nor counted elsewhere."""
    for index in count(2 * FRESH // CHUNK):
        yield sample_chunk(subject.generator, index, 0, subject.labels).images.clone()
