"""Numbers as people write them: decimal points and commas, thousands apart, exponents."""

import math
import re
from collections.abc import Sequence

import numpy as np

THOUSANDS = ".,' \u2019\u00a0\u2009\u202f"
_SIGN, _EXPONENT = r"[+-]?", r"(?:[eE]([+-]?[0-9]+))?"


def _pattern(mark: str) -> re.Pattern[str]:
    apart = "".join(one for one in THOUSANDS if one != mark)
    grouped = rf"[0-9]{{1,3}}(?:([{re.escape(apart)}])[0-9]{{3}})(?:\2[0-9]{{3}})*"
    whole = rf"(?:{grouped}|[0-9]*)"
    return re.compile(rf"({_SIGN}{whole})(?:{re.escape(mark)}([0-9]*))?{_EXPONENT}")


_PATTERNS = {mark: _pattern(mark) for mark in (".", ",")}
_PLAIN = {mark: re.compile(rf"-?[0-9]{{1,300}}(?:{re.escape(mark)}([0-9]*))?") for mark in ".,"}
_DECIMAL = {mark: re.compile(rf"{_SIGN}[0-9]*{re.escape(mark)}[0-9]*{_EXPONENT}") for mark in ".,"}
_PERHAPS_THOUSANDS = re.compile(rf"{_SIGN}[1-9][0-9]{{0,2}}[.,][0-9]{{3}}")


def read_number(text: str, mark: str) -> tuple[float, int] | None:
    """Return (a finite number, how many digits stand behind its mark); None of another text."""
    if plain := _PLAIN[mark].fullmatch(text):  # most are
        fraction = plain[1]
        return float(text.replace(",", ".")), len(fraction) if fraction else 0
    found = _PATTERNS[mark].fullmatch(text.replace("\u2212", "-"))
    if not found:
        return None
    whole, fraction = re.sub("[^0-9+-]", "", found[1]), found[3] or ""
    if not re.search("[0-9]", whole + fraction):
        return None
    exponent = int(found[4] or 0)
    value = float(f"{whole}.{fraction}e{exponent}")
    return (value, max(0, len(fraction) - exponent)) if abs(value) < math.inf else None


def read_numbers(texts: Sequence[str], mark: str) -> tuple[np.ndarray, int] | int:
    """Return (float64[N], the most digits behind a mark); the place of the first that is none."""
    values, most = np.empty(len(texts)), 0
    for place, text in enumerate(texts):
        found = read_number(text, mark)
        if found is None:
            return place
        values[place] = found[0]
        most = max(most, found[1])
    return values, most


def decimal_mark(columns: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return the decimal mark of a file: the one that stands where no thousands can begin.

    Of `1,234` alone nobody knows; in a file with semicolons it is taken for a decimal comma.
    """
    certain, perhaps = {".": 0, ",": 0}, {".": 0, ",": 0}
    for column in columns:
        for text in column[:1000]:
            for mark in certain:
                if mark in text and _DECIMAL[mark].fullmatch(text):
                    doubtful = bool(_PERHAPS_THOUSANDS.fullmatch(text))
                    (perhaps if doubtful else certain)[mark] += 1
    if certain[","] or certain["."]:
        return "," if certain[","] > certain["."] else "."
    return "," if delimiter != "," and perhaps[","] and not perhaps["."] else "."
