"""Types of arguments, looked at when an object is made in Python."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_lightning.augment import ADA
from gan_lightning.callbacks import Checkpoints, CollapseDoctor, LiveScores, SampleGrid
from gan_lightning.losses import ACGAN, Hinge, InfoGAN, LeastSquares, NonSaturating, TopK
from gan_lightning.networks import DCGANDiscriminator, MLPGenerator, StyleGAN2Generator
from gan_lightning.penalties import R1, ClipWeights, Lazy, LeCam, WGANDiv
from gan_lightning.ranges import Count, NonNegative, Share, argument_types, validated
from gan_lightning.schedules import Constant, Cosine, Linear


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: R1(weight=-1), "weight=-1 must be a number at least 0"),
        (lambda: R1(-1), "weight=-1 must"),
        (lambda: R1(float("nan")), "weight=nan must"),
        (lambda: R1(weight=True), "weight=True must"),
        (lambda: R1(weight="strong"), "weight=strong must be a number"),  # type: ignore[arg-type]
        (lambda: ClipWeights(limit=0), "limit=0 must be a number above 0"),
        (lambda: WGANDiv(power=float("inf")), "power=inf must"),
        (lambda: Lazy(R1(), every=2.5), "every=2.5 must be a whole number at least 1"),  # type: ignore[arg-type]
        (lambda: LeCam(decay=5), "decay=5 must be a number at least 0 and at most 1"),
        (lambda: NonSaturating(smoothing=1), "smoothing=1 must be a number from 0 to below 1"),
        (lambda: LeastSquares(a="x"), "a=x must be a number"),  # type: ignore[arg-type]
        (lambda: ACGAN(Hinge(), weight=-1), "weight=-1 must"),
        (lambda: InfoGAN(Hinge(), codes=[3]), r"codes=\[3\] must be two numbers"),
        (lambda: TopK(Hinge(), Linear(5, 0.5, 10)), "share.start=5 must be a number above 0 and"),
        (lambda: ADA(flips="no"), "flips=no must be one of True, False"),  # type: ignore[arg-type]
        (lambda: Cosine(1, 0, images=0), "images=0 must be a whole number at least 1"),
        (lambda: Cosine(1, 0, begin=-1), "begin=-1 must"),
        (lambda: Constant(-1), "value=-1 must"),
        (lambda: MLPGenerator(4, [1, 8, 8], hidden=[8, 0]), r"hidden=\[8, 0\] must be a list of"),
        (lambda: MLPGenerator(0, [1, 8, 8]), "latent_dim=0 must"),
        (lambda: DCGANDiscriminator([1, 8, 8], width=-3), "width=-3 must"),
        (lambda: StyleGAN2Generator(4, [1, 8, 8], style_mixing=7), "style_mixing=7 must"),
        (lambda: Checkpoints("here", every_n_images=0), "every_n_images=0 must"),
        (lambda: SampleGrid("here", columns=0), "columns=0 must"),
        (lambda: LiveScores(neighbours=5), "neighbours=5 must be a whole number at least 6"),
        (lambda: CollapseDoctor("here", num_images=1), "num_images=1 must"),
    ],
)
def test_a_wrong_argument_is_named(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        make()


def test_right_arguments_are_taken_as_they_are(tmp_path: Path) -> None:
    assert R1().weight == 1.0
    assert R1(np.float32(2)).weight == 2.0
    assert R1(weight=0) == R1(0)
    assert Cosine(1, 0).images is None
    assert Checkpoints(str(tmp_path), every_n_images=None).every_n_images is None
    assert MLPGenerator(np.int64(4), (1, 8, 8), hidden=()).latent_dim == 4
    assert Lazy(R1(), every=10**400).every == 10**400


def test_pythons_own_complaints_of_a_call_stay() -> None:
    with pytest.raises(TypeError, match=r"R1.__init__\(\) got an unexpected keyword.*'colour'"):
        R1(colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments"):
        R1(1, 2)  # type: ignore[call-arg]


@validated
class Base:
    def __init__(self, size: Count, share: Share = 0.5) -> None:
        self.size = size


@validated
class Derived(Base):
    def __init__(self, weight: NonNegative = 1.0, **more: Any) -> None:
        super().__init__(**more)


class Narrow(Base):
    def __init__(self, share: int) -> None:
        super().__init__(3)


class Wide(Base):
    """Its own `share`, without a type, is not the one of the base."""

    def __init__(self, share, **more: Any) -> None:  # type: ignore[no-untyped-def]
        super().__init__(**more)


@validated
@dataclass
class Record:
    count: Count
    later: "NonNegative | None" = None


def test_a_base_looks_at_what_is_passed_on_to_it() -> None:
    with pytest.raises(ValueError, match="size=0 must"):
        Derived(size=0)
    assert Derived(size=2).size == 2
    assert {"weight", "size", "share"} <= argument_types(Derived).keys()
    assert argument_types(Narrow)["share"] is int
    assert "size" not in argument_types(Narrow)
    assert argument_types(Wide)["share"] is Any
    assert argument_types(Wide)["size"] is Count


def test_all_wrong_arguments_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^count=0 must be .*; later=-1 must be"):
        Record(count=0, later=-1)
    assert Record(1).later is None
