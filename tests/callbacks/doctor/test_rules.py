"""The doctor's rules, each on both sides of its threshold; what is said when; the advice."""

import json
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gan_lightning.callbacks.doctor.diagnosis import Chart, Finding, Vitals, diagnose
from gan_lightning.callbacks.doctor.rules import RULES, number
from gan_lightning.config.schema import resolved
from gan_lightning.training.course import Course
from tests.conftest import compose_config


def course(*fids: float) -> Course:
    made = Course()
    for epoch, fid in enumerate(fids):
        made.add({"score/fid": fid}, 60_000 * (epoch + 1))
    return made


# name of the rule: (what it must be silent about, what it must see)
THRESHOLDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gradients explode": ({"gradient_d": 999.0}, {"gradient_d": 1001.0}),
    "quality falls": (
        {"course": course(1.0, 0.1, 0.21, 0.2, 0.21)},
        {"course": course(1.0, 0.1, 0.21, 0.21)},
    ),
    "D wins": ({"d_fake": 0.011, "d_real": 0.99}, {"d_fake": 0.009, "d_real": 0.99}),
    "large logits": ({"gap": 49.0}, {"gap": 51.0}),
    "D memorises": (
        {"order": 0.95, "overfit": 0.6, "accuracy": 0.9, "held_out_accuracy": 0.66},
        {"order": 0.95, "overfit": 0.6, "accuracy": 0.9, "held_out_accuracy": 0.64},
    ),
    "D is blind": ({"spread": 0.021, "order": 0.5}, {"spread": 0.019, "order": 0.5}),
    "G has no gradient": ({"gradient_g": 1.1e-5}, {"gradient_g": 0.9e-5}),
    "constant": ({"diversity": 0.051}, {"diversity": 0.049}),
    "latent ignored": (
        {"conditional": True, "latent": 0.021},
        {"conditional": True, "latent": 0.019},
    ),
    "few images": ({"twins": 0.49}, {"twins": 0.51}),
    "low diversity": ({"diversity": 0.41}, {"diversity": 0.39}),
    "class dropped": ({"min_class_share": 0.011}, {"min_class_share": 0.009}),
    "saturated": ({"grey": 0.21}, {"grey": 0.19}),
}


def names(**vitals: Any) -> set[str]:
    return {finding.name for finding in diagnose(Vitals(**vitals), RULES)}


def test_a_table_that_is_learnt_leaves_d_nothing_to_tell_apart() -> None:
    made = Course()
    for gap, seen in ((0.2, {"D is blind"}), (0.1, set())):
        made.add({"score/gap": gap}, 1)
        assert names(course=made, spread=0.01, order=0.5) == seen


def test_every_rule_is_tested() -> None:
    assert [rule.name for rule in RULES] == list(THRESHOLDS)


@pytest.mark.parametrize("name", THRESHOLDS)
def test_threshold(name: str) -> None:
    healthy, broken = THRESHOLDS[name]
    assert name not in names(**healthy)
    assert name in names(**broken)


def test_healthy_vitals_are_nothing_to_speak_of() -> None:
    assert names() == set()


def test_a_default_trained_for_too_long() -> None:
    """What an epoch each of `train.py trainer.max_epochs=100` showed with R1's weight of 1.

    FID 0.119 after 360,000 images, 0.346 two epochs later, 1.1 at the end; seed 0.
    """
    chart, fids, said = Chart(), Course(), dict[int, str]()
    for line in (Path(__file__).parent / "blind.jsonl").read_text().splitlines():
        vitals = json.loads(line)
        seen = vitals.pop("images_seen")
        fids.add({"score/fid": vitals.pop("fid")}, seen)
        words = chart.update(diagnose(Vitals(**vitals, course=fids), RULES))
        said |= {seen: " ".join(words)} if words else {}
    blind, falls = said
    assert blind == 479_744  # two epochs after the best
    assert said[blind].startswith("D tells nothing apart")
    assert "penalty=r1 penalty.weight=0.1" in said[blind]
    assert falls == 539_712
    assert "7.1 times its best, 0.119 at 359,808 images seen" in said[falls]


@pytest.mark.parametrize(
    ("belief", "vitals", "wins"),
    [
        ("probability", {"d_fake": 0.001, "d_real": 0.002}, False),  # D doubts the reals as much
        ("pairs", {"d_pairs": 0.009}, True),
        ("pairs", {"d_pairs": 0.011, "d_fake": 0.001}, False),  # the offset means nothing
        ("margin", {"order": 0.9991, "gap": 4.1}, True),
        ("margin", {"order": 0.9991, "gap": 3.9}, False),
        ("margin", {"order": 0.9989, "gap": 4.1, "d_fake": 0.001}, False),
        ("score", {"order": 1.0, "d_fake": 0.0, "d_real": 1.0}, False),  # a critic may
    ],
)
def test_d_wins_in_the_terms_of_its_loss(belief: Any, vitals: dict[str, Any], wins: bool) -> None:
    assert ("D wins" in names(belief=belief, **vitals)) == wins


@pytest.mark.parametrize(
    "vitals",
    [
        {"order": 0.89, "overfit": 1.0, "accuracy": 0.9, "held_out_accuracy": 0.1},
        {"order": 0.95, "overfit": 0.49, "accuracy": 0.9, "held_out_accuracy": 0.1},
        {"order": 0.95, "overfit": None, "accuracy": 0.9},  # nothing is held out
        {"conditional": False, "latent": 0.0, "diversity": 0.9},
        {"min_class_share": 0.0051, "classes": 20},
        {"spread": 0.001, "order": 0.56},  # small logits that tell reals from fakes
        {"gap": 0.001, "gradient_g": 0.01},  # nothing is left to tell apart
        {"gap": 0.001, "gradient_g": 0.01, "course": course(1.0, 1.1)},
        {"gap": 0.007, "gradient_g": 0.01, "course": course(1.0, 1.3)},
        {"gap": 0.001, "gradient_g": 0.01, "course": course(1.0, 1.3), "belief": "margin"},
    ],
)
def test_silent_on_half_a_reason(vitals: dict[str, Any]) -> None:
    assert names(**vitals) == set()


def test_words() -> None:
    (finding,) = diagnose(Vitals(d_fake=0.001, d_real=0.99, penalty=0.0), RULES)
    assert finding.words(3) == (
        "D wins: D(fake)=0.001 for 3 epochs; try penalty=r1 or optimizer.discriminator.lr=1e-4"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-4, "1e-4"),
        (0.0003, "3e-4"),
        (0.001, "0.001"),
        (0.1, "0.1"),
        (10.0, "10"),
        (3e3, "3e+03"),
    ],
)
def test_numbers_are_as_one_types_them(value: float, text: str) -> None:
    assert number(value) == text
    assert float(text) == pytest.approx(value, rel=0.25)


def finding(name: str, subject: str = "G", patience: int = 3) -> Finding:
    return Finding(name, subject, patience, name, ("a=1",))


def test_said_once_after_patience_until_it_clears() -> None:
    chart, one = Chart(), [finding("x")]
    said = [chart.update(now) for now in (one, one, one, one, [], one, one, one)]
    assert said == [[], [], ["x for 3 epochs; try a=1"], [], [], [], [], said[2]]


def test_only_the_gravest_of_a_subject_is_said() -> None:
    grave, slight, other = finding("grave"), finding("slight"), finding("other", "D")
    chart = Chart()
    for _ in range(3):
        words = chart.update([grave, slight, other])
    assert [w.split()[0] for w in words] == ["grave", "other"]
    assert chart.update([slight]) == ["slight for 4 epochs; try a=1"]


def test_a_chart_goes_on_from_its_state() -> None:
    chart, fresh = Chart(), Chart()
    chart.update([finding("x"), finding("said", "D", 1)])
    fresh.load_state_dict(chart.state_dict())
    assert fresh == chart
    fresh.update([finding("x"), finding("said", "D", 1)])
    assert len(fresh.update([finding("x"), finding("said", "D", 1)])) == 1


def all_advice() -> set[str]:
    """Return every override that some rule gives in some situation."""
    assert {f.name for f in fields(Vitals)} >= {"belief", "penalty", "conditional", "lr_d"}
    situations = product(
        ("probability", "pairs", "margin", "score"), (0.0, 1.0), (False, True), (1e-3, 2e-4)
    )
    return {
        advice
        for belief, penalty, conditional, lr in situations
        for rule in RULES
        for advice in rule.advice(
            Vitals(belief=belief, penalty=penalty, conditional=conditional, lr_d=lr, lr_g=lr)  # type: ignore[arg-type]
        )
    }


def test_all_advice_can_be_followed() -> None:
    base = ("model=mlp", "optimizer=ttur", "loss=hinge", "penalty=none")
    for advice in sorted(all_advice()):
        # What the user had typed and what is advised may be of one group: the later one replaces.
        groups = {override.partition("=")[0] for override in advice.split()}
        kept = [override for override in base if override.partition("=")[0] not in groups]
        config = resolved(compose_config("run_dir=x", "data=digits", *kept, *advice.split()))
        for override in advice.split():
            key, _, value = override.partition("=")
            node: Any = config
            for part in key.split("."):
                node = node[part]
            assert isinstance(node, dict) or node == float(value)
