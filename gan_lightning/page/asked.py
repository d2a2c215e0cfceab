"""What the page may ask for, checked: a bad value is one sentence with status 400."""

import json
from typing import Any

import torch
from starlette.requests import Request
from torch import Tensor

MAX_BODY = 2 << 20  # bytes of a request
MAX_IMAGES = 100  # in one answer
MOST_SEED = 2**32 - 1
FARTHEST = 100.0  # a latent's coordinate: N(0, 1) never comes near


class BadRequest(Exception):
    """What was asked for cannot be; says why in a sentence."""


async def body(request: Request, most: int = MAX_BODY) -> bytes:
    """Return a request's body; BadRequest if it is longer than `most` bytes."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise BadRequest(f"the request is larger than {most:,} bytes")
    return bytes(content)


async def fields(request: Request) -> dict[str, Any]:
    """Return a request's JSON object."""
    try:
        found = json.loads(await body(request))
    except (ValueError, RecursionError) as error:
        raise BadRequest("the request is no JSON") from error
    if not isinstance(found, dict):
        raise BadRequest("the request is no JSON object")
    return found


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 21:
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise BadRequest(f"{name} must be a whole number from {low} to {high}")
    return value


def seed_of(value: Any) -> int:
    """Return a seed as sample.py takes them."""
    return whole(value, "seed", 0, MOST_SEED)


def share(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise BadRequest(f"{name} must be a number from 0 to 1")
    return float(value)


def latents(value: Any, length: int, most: int) -> Tensor:
    """Return z[N, length], 1 <= N <= most, of a list of lists of numbers."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise BadRequest(f"z must be a list of 1 to {most} latents")
    for row in value:
        if not isinstance(row, list) or len(row) != length:
            raise BadRequest(f"a latent of this generator has {length} numbers")
        for x in row:
            if type(x) not in (int, float) or not -FARTHEST <= x <= FARTHEST:
                raise BadRequest(f"z must hold numbers from -{FARTHEST:g} to {FARTHEST:g}")
    return torch.tensor(value, dtype=torch.float32)


def labels_for(value: Any, known: list[int], count: int) -> Tensor | None:
    """Return y[count] of one label or a list of them; None for a generator without labels."""
    if not known:
        if value is not None:
            raise BadRequest("this generator has no labels: leave y out")
        return None
    asked = value if isinstance(value, list) else [value] * count
    if len(asked) != count:
        raise BadRequest(f"y must be one label, or {count} of them")
    for one in asked:
        if type(one) is not int or one not in known:
            raise BadRequest(f"y: this generator's labels are {', '.join(map(str, known[:20]))}")
    return torch.tensor(asked)
