"""What a set of measurements means: pure rules, no networks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gan_lightning.losses.base import Meaning
from gan_lightning.training.course import Course


@dataclass(frozen=True)
class Vitals:
    """What was measured at the end of an epoch, by `measure.measure`.

    Attributes:
        belief: what the logits mean under the run's loss.
        d_real: mean probability D gives to training reals.
        d_fake: the same for fakes of the current generator.
        d_pairs: mean probability D gives to the fake of a (real, fake) pair.
        order: share of (real, fake) pairs where the real has the higher logit.
        gap: mean logit of reals less that of fakes.
        spread: standard deviation of the logits of reals and fakes together.
        accuracy: share of training reals above the middle of that gap.
        held_out_accuracy: the same for held-out reals, if there are any.
        overfit: 0 if held-out reals are judged as training reals are, 1 if as fakes are
            (Karras et al. 2020, Training GANs with Limited Data, eq. 1, r_v).
        diversity: mean pixel distance of two fakes, over that of two reals.
        twins: share of fakes with a near-duplicate among the fakes (of the reals, 1 % have one).
        twin_pairs: share of pairs of fakes that are near-duplicates.
        latent: pixel variance of the fakes over the latent, label fixed, over that of the reals.
        grey: share of pixels that are not at -1 or 1, over that of the reals.
        min_class_share: of the rarest class among the averaged generator's fakes, if scored.
        gradient_d: norm of D's gradient at the curves' latest point, if there is one.
        gradient_g: of G's.
        conditional: whether G is told the label.
        classes: how many classes are in use.
        labels: how many the data set has.
        penalty: weight of D's penalty, 0 if it has none.
        lr_d: D's learning rate.
        lr_g: G's.
        course: how the averaged generator's score went; see `training.course`.
    """

    belief: Meaning = "probability"
    d_real: float = 0.6
    d_fake: float = 0.4
    d_pairs: float = 0.4
    order: float = 0.7
    gap: float = 0.5
    spread: float = 0.5
    accuracy: float = 0.6
    held_out_accuracy: float | None = None
    overfit: float | None = None
    diversity: float = 1.0
    twins: float = 0.01
    twin_pairs: float = 0.0
    latent: float = 1.0
    grey: float = 1.0
    min_class_share: float | None = None
    gradient_d: float | None = None
    gradient_g: float | None = None
    conditional: bool = False
    classes: int = 10
    labels: int = 10
    penalty: float = 1.0
    lr_d: float = 1e-3
    lr_g: float = 1e-3
    course: Course = field(default_factory=Course)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        name: of the rule.
        subject: of findings on one subject, only the gravest is said.
        patience: epochs in a row before it is said.
        sentence: what was seen.
        advice: overrides to try, any one of them.
    """

    name: str
    subject: str
    patience: int
    sentence: str
    advice: tuple[str, ...]

    def words(self, epochs: int) -> str:
        """Return what to tell the user."""
        since = f" for {epochs} epochs" if epochs > 1 else ""
        return f"{self.sentence}{since}; try {' or '.join(self.advice)}"


@dataclass(frozen=True)
class Rule:
    """When something is wrong, and what to say then; see `Finding`."""

    name: str
    subject: str
    patience: int
    holds: Callable[[Vitals], bool]
    sentence: Callable[[Vitals], str]
    advice: Callable[[Vitals], tuple[str, ...]]

    def finding(self, vitals: Vitals) -> Finding:
        """Return the finding for vitals that the rule holds for."""
        sentence, advice = self.sentence(vitals), self.advice(vitals)
        return Finding(self.name, self.subject, self.patience, sentence, advice)


def diagnose(vitals: Vitals, rules: tuple[Rule, ...]) -> list[Finding]:
    """Return all that is wrong, in the order of the rules: the gravest of a subject first."""
    return [rule.finding(vitals) for rule in rules if rule.holds(vitals)]


@dataclass
class Chart:
    """How long each thing has been wrong, and what was said already.

    Attributes:
        streaks: epochs in a row, by the name of the rule.
        said: names of the findings that were said and have not cleared since.
    """

    streaks: dict[str, int] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

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
