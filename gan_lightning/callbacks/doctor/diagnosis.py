"""What a set of measurements means: pure rules, no networks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gan_lightning.losses.base import Meaning
from gan_lightning.training.course import Course


@dataclass(frozen=True)
class Vitals:
    """What was measured at the end of an epoch, by `measure.measure`."""

    adversarial: bool = True  # whether there is a D
    beta: float | None = None  # a VAE's weight of the Kullback-Leibler term
    belief: Meaning = "probability"  # what the logits mean under the run's loss
    d_real: float = 0.6  # mean probability D gives to training reals
    d_fake: float = 0.4  # the same for fakes of the current generator
    d_pairs: float = 0.4  # mean probability D gives to the fake of a (real, fake) pair
    order: float = 0.7  # share of (real, fake) pairs where the real has the higher logit
    gap: float = 0.5  # mean logit of reals less that of fakes
    spread: float = 0.5  # standard deviation of the logits of reals and fakes together
    accuracy: float = 0.6  # share of training reals above the middle of that gap
    held_out_accuracy: float | None = None  # the same for held-out reals, if there are any
    # 0 if held-out reals are judged as training reals are, 1 if as fakes are.
    # Source: Karras et al. 2020, Training GANs with Limited Data, eq. 1, r_v.
    overfit: float | None = None
    diversity: float = 1.0  # mean pixel distance of two fakes, over that of two reals
    twins: float = 0.01  # share of fakes with a near-duplicate among them (of reals, 1 % have one)
    twin_pairs: float = 0.0  # share of pairs of fakes that are near-duplicates
    # Pixel variance of the fakes over the latent, label fixed, over that of the reals.
    latent: float = 1.0
    grey: float = 1.0  # share of pixels that are not at -1 or 1, over that of the reals
    min_class_share: float | None = None  # of the rarest class among the average's fakes, if scored
    gradient_d: float | None = None  # norm at the curves' latest point, if there is one
    gradient_g: float | None = None
    conditional: bool = False  # whether G is told the label
    classes: int = 10  # in use
    labels: int = 10  # that the data set has
    penalty: float = 1.0  # weight of D's, 0 if it has none
    lr_d: float = 1e-3
    lr_g: float = 1e-3
    course: Course = field(default_factory=Course)  # of the averaged generator's score


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    name: str  # of the rule
    subject: str  # of findings on one subject, only the gravest is said
    patience: int  # epochs in a row before it is said
    sentence: str  # what was seen
    advice: tuple[str, ...]  # overrides to try, any one of them

    def words(self, epochs: int) -> str:
        """Return what to tell the user."""
        since = f" for {epochs} epochs" if epochs > 1 else ""
        advice = f"; try {' or '.join(self.advice)}" if self.advice else ""
        return f"{self.sentence}{since}{advice}"


@dataclass(frozen=True)
class Rule:
    """When something is wrong, and what to say then; see `Finding`."""

    name: str
    subject: str
    holds: Callable[[Vitals], bool]
    sentence: Callable[[Vitals], str]
    advice: Callable[[Vitals], tuple[str, ...]]
    patience: int = 3


def diagnose(vitals: Vitals, rules: tuple[Rule, ...]) -> list[Finding]:
    """Return all that is wrong, in the order of the rules: the gravest of a subject first."""
    return [
        Finding(rule.name, rule.subject, rule.patience, rule.sentence(vitals), rule.advice(vitals))
        for rule in rules
        if rule.holds(vitals)
    ]


@dataclass
class Chart:
    """How long each thing has been wrong, and what was said already, by the names of the rules."""

    streaks: dict[str, int] = field(default_factory=dict)  # epochs in a row
    said: set[str] = field(default_factory=set)  # and has not cleared since

    def update(self, findings: list[Finding]) -> list[str]:
        """Count an epoch; return what is to be said now."""
        self.streaks = {f.name: self.streaks.get(f.name, 0) + 1 for f in findings}
        self.said &= self.streaks.keys()
        words, subjects = [], set[str]()
        for finding in findings:
            epochs, first = self.streaks[finding.name], finding.subject not in subjects
            subjects.add(finding.subject)
            if first and epochs >= finding.patience and finding.name not in self.said:
                self.said.add(finding.name)
                words.append(finding.words(epochs))
        return words

    def state_dict(self) -> dict[str, Any]:
        return {"streaks": dict(self.streaks), "said": sorted(self.said)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.streaks, self.said = dict(state["streaks"]), set(state["said"])
