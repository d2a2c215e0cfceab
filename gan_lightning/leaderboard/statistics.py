"""Scores over seeds: the median, its interval, and whether a difference is more than noise."""

import math
import statistics
import warnings
from collections.abc import Mapping, Sequence

LEVEL = 0.05
CONFIDENCE = 0.95


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return (low, high, confidence) of an interval of the median, of at least two values.

    Its ends are values, the same number from either end: as narrow as 95 % allow. Fewer than six
    values do not allow 95 %: they have the smallest and the largest, and less confidence.

    Source: the sign test's interval, which assumes no distribution.
    """
    ordered, n = sorted(values), len(values)
    cut, outside = 0, 2 ** (1 - n)  # the share of all cases with the median beyond the ends
    while 2 * (cut + 2) <= n:
        wider = outside + 2 * math.comb(n, cut + 1) / 2**n
        if wider > 1 - CONFIDENCE:
            break
        cut, outside = cut + 1, wider
    return ordered[cut], ordered[n - 1 - cut], 1 - outside


def welch(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the two-sided p of Welch's t test on the logarithms; None if it cannot be made.

    On logarithms, because the spread of a distance grows with it. It needs two values on either
    side, all above 0, and some spread.
    """
    if min(len(a), len(b)) < 2 or min(*a, *b) <= 0:
        return None
    x, y = ([math.log(value) for value in one] for one in (a, b))
    if not statistics.pvariance(x) + statistics.pvariance(y):
        return None
    from scipy.stats import ttest_ind  # takes a second

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where the seeds of one side do not differ
        return float(ttest_ind(x, y, equal_var=False).pvalue)


def holm(found: Mapping[int, float]) -> dict[int, float]:
    """Return the p values corrected for how many there are.

    Source: Holm 1979.
    """
    corrected, least = {}, 0.0
    ranked = sorted(found, key=lambda name: found[name])
    for place, name in enumerate(ranked):
        least = max(least, min(1.0, (len(ranked) - place) * found[name]))
        corrected[name] = least
    return corrected


def verdict(p: float | None, fewest: int) -> str:
    """Return in words what a p says, of settings with `fewest` seeds or more."""
    if fewest < 2:
        return "one seed: nothing can be said"
    if p is None:
        return "no spread: nothing can be said"
    shown = f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
    return f"more than noise ({shown})" if p < LEVEL else f"may be noise ({shown})"
