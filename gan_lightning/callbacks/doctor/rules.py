"""The doctor's rules: thresholds far from what healthy runs show, and an override for each."""

from gan_lightning.callbacks.doctor.diagnosis import Rule, Vitals
from gan_lightning.export.generator_file import BEST_FILE

NEVER_FOOLED = 0.999  # of all (real, fake) pairs, with a margin loss
MARGINS = 4.0  # of hinge: twice the way from -1 to 1; below, D still has a slope for G
D_WINS = 0.01  # D's belief in the fakes
MEMORISED, MEMORISED_ACCURACY, MEMORISED_ORDER = 0.5, 0.25, 0.9
BLIND_SPREAD, BLIND_ORDER = 0.02, 0.05
TABLE_LEARNT = 0.15  # of `score/gap`: halves of a few hundred rows differ by that
UNDECIDED, FADED, WORSE = 0.006, 0.05, 1.2  # of a gap, of G's gradient, times the best score
LARGE_LOGITS = 50.0
VANISHED, EXPLODED = 1e-5, 1e3  # norms of a whole network's gradient
CONSTANT, LOW_DIVERSITY = 0.05, 0.4
LATENT_IGNORED = 0.02  # of a variance: a seventh of the reals' contrast
MANY_TWINS = 0.5
DROPPED = 0.1  # of a class's equal share
SATURATED_GREY = 0.2
FALLS = 2  # evaluations in a row

# Against a collapse: Huang et al. 2024 (R3GAN), sections 2.2 and 2.3.
R3GAN = "loss=rpgan penalty=r1r2"


def number(value: float) -> str:
    """Return a number as one types it: 1e-4, 0.003, 100."""
    plain = f"{float(f'{value:.1g}'):g}"
    return plain if 1e-3 <= value < 1e3 else f"{value:.0e}".replace("e-0", "e-")


def rate(network: str, value: float) -> str:
    """Return the override of a learning rate."""
    return f"optimizer.{network}.lr={number(value)}"


def slower(network: str, v: Vitals) -> str:
    """Return a tenth of a network's learning rate."""
    return rate(network, (v.lr_d if network == "discriminator" else v.lr_g) / 10)


def penalty(v: Vitals, factor: float) -> str:
    """Return the penalty that fits the loss, its weight so many times what it is now."""
    name = "penalty=wgan_gp" if v.belief == "score" else "penalty=r1"
    return f"{name} penalty.weight={number(factor * v.penalty)}" if v.penalty else name


def calmer_d(v: Vitals) -> tuple[str, ...]:
    """Return what holds D back."""
    return penalty(v, 10), slower("discriminator", v)


def more_variety(v: Vitals, *others: str) -> tuple[str, ...]:
    """Return what helps against a collapse: of a GAN, of a VAE; nothing for what is fitted."""
    if v.adversarial:
        return (R3GAN, *others)
    return (f"model.beta={number(v.beta / 10)}",) if v.beta else ()


def d_wins(v: Vitals) -> bool:
    """Whether D leaves G nothing to learn from."""
    if v.belief == "margin":
        return v.order > NEVER_FOOLED and v.gap > MARGINS
    if v.belief == "pairs":
        return v.d_pairs < D_WINS
    return v.belief == "probability" and v.d_fake < D_WINS and v.d_real > 0.5


def d_wins_sentence(v: Vitals) -> str:
    """Say by how much."""
    if v.belief == "margin":
        return f"D wins: it rates {v.order:.2%} of reals above a fake, with a gap of {v.gap:.1f}"
    if v.belief == "pairs":
        return f"D wins: D(fake before real)={v.d_pairs:.2g}"
    return f"D wins: D(fake)={v.d_fake:.2g}"


def memorised(v: Vitals) -> bool:
    """Whether D has memorised its training images."""
    if v.overfit is None or v.held_out_accuracy is None or v.order < MEMORISED_ORDER:
        return False
    gap = v.accuracy - v.held_out_accuracy
    return v.overfit > MEMORISED and gap > MEMORISED_ACCURACY


def blind(v: Vitals) -> bool:
    """Whether D tells nothing apart.

    With small logits that vary (R1 too strong at a high rate), also if G gets worse by that: where
    fakes are as good as reals, nothing is left to tell apart: of a table the score says so.
    """
    if v.course.name == "score/gap" and v.course.latest < TABLE_LEARNT:
        return False
    undecided = v.belief in ("probability", "pairs") and abs(v.gap) < UNDECIDED
    faded = undecided and v.gradient_g is not None and v.gradient_g < FADED
    if faded and v.course.latest > WORSE * v.course.floor:
        return True
    return v.spread < BLIND_SPREAD and abs(v.order - 0.5) < BLIND_ORDER


RULES = (
    Rule(
        "gradients explode",
        "numbers",
        lambda v: max(v.gradient_d or 0, v.gradient_g or 0) > EXPLODED,
        lambda v: (
            f"Gradients explode: norm {v.gradient_d or 0:.0f} in D, {v.gradient_g or 0:.0f} in G"
        ),
        lambda v: (f"optimizer.lr={number(min(v.lr_d, v.lr_g) / 10)}",),
    ),
    Rule(
        "quality falls",
        "quality",
        lambda v: v.course.falls >= FALLS,
        lambda v: (
            f"Quality falls: {v.course.name} {v.course.latest:.3g} is "
            f"{v.course.latest / v.course.floor:.1f} times its best, {v.course.best:.3g} at "
            f"{v.course.best_at:,} images seen; the generator of then is kept in {BEST_FILE}"
        ),
        lambda v: (
            *((penalty(v, 0.1),) if v.penalty else ()),
            f"optimizer.lr={number(min(v.lr_d, v.lr_g) / 3)}",
        ),
        patience=1,
    ),
    Rule("D wins", "D", d_wins, d_wins_sentence, calmer_d),
    Rule(
        "large logits",
        "D",
        lambda v: v.gap > LARGE_LOGITS or v.spread > LARGE_LOGITS,
        lambda v: f"D's logits run away: reals are {v.gap:.0f} above fakes",
        calmer_d,
    ),
    Rule(
        "D memorises",
        "D",
        memorised,
        lambda v: (
            f"D knows its training images by heart: it takes {v.accuracy:.0%} of them for "
            f"real, of held-out reals {v.held_out_accuracy:.0%}"
        ),
        lambda v: (penalty(v, 10), "penalty=lecam"),
    ),
    Rule(
        "D is blind",
        "D",
        blind,
        lambda v: (
            f"D tells nothing apart: its logits vary by {v.spread:.2g}, and those of reals and of "
            f"fakes differ by {abs(v.gap):.1g}"
        ),
        lambda v: (rate("discriminator", v.lr_d * 10),) + ((penalty(v, 0.1),) if v.penalty else ()),
        patience=2,
    ),
    Rule(
        "G has no gradient",
        "D",
        lambda v: v.gradient_g is not None and v.gradient_g < VANISHED,
        lambda v: f"G learns nothing: the norm of its gradient is {v.gradient_g:.1g}",
        lambda v: ("loss=nonsaturating", slower("discriminator", v)),
    ),
    Rule(
        "constant",
        "G",
        lambda v: v.diversity < CONSTANT,
        lambda v: (
            f"The generator is constant: two fakes differ by {v.diversity:.1%} of what two reals do"
        ),
        lambda v: more_variety(v, slower("generator", v)),
        patience=2,
    ),
    Rule(
        "latent ignored",
        "G",
        lambda v: v.conditional and v.latent < LATENT_IGNORED,
        lambda v: (
            "The generator ignores its latent: fakes of one label vary by "
            f"{v.latent:.1%} of what its reals do"
        ),
        lambda v: more_variety(v, slower("generator", v)),
        patience=2,
    ),
    Rule(
        "few images",
        "G",
        lambda v: v.twins > MANY_TWINS,
        lambda v: (
            f"Mode collapse: {v.twins:.0%} of the fakes have a near-twin among them (of the "
            f"reals 1%), as if there were {1 / max(v.twin_pairs, 1e-6):.0f} different images"
        ),
        lambda v: more_variety(v, slower("generator", v)),
    ),
    Rule(
        "low diversity",
        "G",
        lambda v: v.diversity < LOW_DIVERSITY,
        lambda v: f"Mode collapse: two fakes differ by {v.diversity:.0%} of what two reals do",
        lambda v: more_variety(v, slower("generator", v)),
    ),
    Rule(
        "class dropped",
        "G",
        lambda v: v.min_class_share is not None and v.min_class_share < DROPPED / v.classes,
        lambda v: (
            f"A class is missing: the rarest of {v.classes} is {v.min_class_share:.2%} of the fakes"
        ),
        lambda v: (() if v.conditional else (f"model.num_classes={v.labels}",)) + more_variety(v),
    ),
    Rule(
        "saturated",
        "pixels",
        lambda v: v.grey < SATURATED_GREY,
        lambda v: f"G saturates: its images have {v.grey:.0%} of the grey pixels of reals",
        lambda v: (slower("generator", v),),
    ),
)
