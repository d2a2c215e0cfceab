"""What makes D a judge: a calibration of its logits, and training it on while G is frozen."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from gan_lightning.data import DataModule
from gan_lightning.data.held_out import held_out
from gan_lightning.errors import UserError
from gan_lightning.export.discriminator_file import Judge
from gan_lightning.export.discriminator_metadata import Calibration
from gan_lightning.modes.base import Subject
from gan_lightning.pixels import to_unit_range
from gan_lightning.sampling.draw import CHUNK, sample_chunk

MOST = 5000  # held-out reals, and as many fakes
FRESH = 10_000_000  # the first of the fakes' places: nobody looks at these samples by themselves
TRAINED = 64_000  # reals that D sees at most while G is frozen
BATCH = 64
RATE = 2e-4  # of Adam
DECIDED = 0.95  # D is not trained beyond this share of right answers


def held_out_reals(data: DataModule) -> tuple[Tensor, Tensor]:
    """Return images in [-1, 1] that were not trained on, and their labels, in a fixed order."""
    images = held_out(data)
    if not len(images):
        raise UserError(f"mode=judge: {data.name} has no images that were not trained on")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:MOST]
    x, y = images[order]
    return to_unit_range(x), y


def fresh_fakes(subject: Subject, count: int, first: int = FRESH) -> Tensor:
    """Return samples first, first + 1, ... of the generator, labels in turn."""
    chunks = range(first // CHUNK, (first + count - 1) // CHUNK + 1)
    found = [sample_chunk(subject.generator, i, 0, subject.labels).images for i in chunks]
    return torch.cat(found)[:count]


def calibrate(reals: Tensor, fakes: Tensor, fakes_of: str) -> Calibration:
    """Fit one scale and one offset on half of the logits [N], and count on the other half.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.
    """
    from sklearn.linear_model import LogisticRegression  # slow import

    count = min(len(reals), len(fakes))
    kinds = [logits[:count].double().numpy() for logits in (reals, fakes)]
    half = count // 2
    x = np.concatenate([kind[:half] for kind in kinds])[:, None]
    y = np.repeat([1, 0], half)
    unit = float(x.std()) or 1.0
    fitted = LogisticRegression(C=1e6).fit(x / unit, y)
    scale, offset = float(fitted.coef_[0, 0]) / unit, float(fitted.intercept_[0])
    right = [
        np.mean((scale * kind[half:] + offset > 0) == real)
        for kind, real in zip(kinds, (1, 0), strict=True)
    ]
    return Calibration(scale, offset, float(above[0]), 1 - float(above[1]), count - half, fakes_of)


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

    Twenty times on the way it is asked about held-out reals and fresh fakes; the best of these is
    kept, and it ends early once D is right about `DECIDED` of them.
    """
    torch.manual_seed(subject.seed)
    d = judge.discriminator.train().requires_grad_()
    optimizer = torch.optim.Adam(d.parameters(), lr=RATE, betas=(0.5, 0.999))
    held, _ = held_out_reals(data)
    held = held[: len(held) // 2]  # the calibration's half: the other one says how good it is
    fakes = fresh_fakes(subject, len(held))
    steps = TRAINED // BATCH
    best, state, seen = 0.0, {k: v.clone() for k, v in d.state_dict().items()}, 0
    batches = zip(_reals(data, subject.seed), _fakes(subject), strict=False)
    with tqdm(total=steps, desc="training the judge", leave=False, delay=1, disable=None) as bar:
        for step in range(1, steps + 1):
            (x, y), (fake, wanted) = next(batches)
            labels = _labels(judge, x, y), _labels(judge, fake, wanted)
            real_logits, fake_logits = d(x, labels[0]), d(fake, labels[1])
            loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            bar.update(1)
            if step % (steps // 20) == 0:
                now = _balanced(judge, held, fakes)
                bar.set_postfix_str(f"right about {now:.1%}")
                if now > best:
                    best, seen = now, step * BATCH
                    state = {k: v.clone() for k, v in d.state_dict().items()}
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


def _labels(judge: Judge, x: Tensor, y: Tensor | None) -> Tensor | None:
    if not judge.discriminator.num_classes:
        return None
    return judge.clusters(x) if judge.centres is not None else y


def _reals(data: DataModule, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    random = torch.Generator().manual_seed(seed)
    while True:
        for rows in torch.randperm(len(data.images), generator=random).split(BATCH):
            x, y = data.images[rows]
            yield to_unit_range(x), y


def _fakes(subject: Subject) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield batches of samples that are neither looked at nor counted elsewhere."""
    index = 2 * FRESH // CHUNK
    while True:
        chunk = sample_chunk(subject.generator, index, 0, subject.labels)
        yield chunk.images[:BATCH].clone(), None if chunk.y is None else chunk.y[:BATCH]
        index += 1
