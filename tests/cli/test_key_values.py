"""KEY=VALUE words of the commands that do without Hydra."""

import pytest

from gan_lightning.errors import UserError
from gan_lightning.system.key_values import (
    Reader,
    decimal,
    key_values,
    names,
    optional,
    switch,
    whole,
)

KEYS: dict[str, Reader] = {
    "path": optional(str),
    "count": whole(1, 9),
    "share": decimal,
    "open": switch,
    "trust": optional(names),
}


def test_values_are_read() -> None:
    words = ["path=a=b", "count=3", "share=0.5", "open=False", "trust=[a.G, 'b.D']"]
    found = {"path": "a=b", "count": 3, "share": 0.5, "open": False, "trust": ["a.G", "b.D"]}
    assert key_values(words, KEYS) == found
    assert key_values(["path=null", "trust=a.G"], KEYS) == {"path": None, "trust": ["a.G"]}
    assert key_values([], KEYS) == {}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["path"], "'path' is not KEY=VALUE, such as path=..."),
        (["path="], "'path=' is not KEY=VALUE"),
        (["coutn=3"], "there is no key coutn; did you mean count?"),
        (["zzz=3"], "did you mean path, count, share, open, trust?"),
        (["open=true", "open=true"], "open is given twice"),
        (["count=0"], "count=0 must be a whole number at least 1 and at most 9"),
        (["count=-1"], "must be a whole number"),
        (["count=null"], "must be a whole number"),
        (["count=\u00b2"], "must be a whole number"),
        ([f"count={'9' * 5000}"], "must be a whole number"),
        (["share=x"], "share=x must be a number"),
        (["open=maybe"], "open=maybe must be true or false"),
        (["trust=[]"], "must be a name, or a list of names"),
        (["trust=[a,]"], "must be a name, or a list of names"),
        (["trust=a.G,b.D"], "must be a name, or a list of names"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        key_values(words, KEYS)
    assert sentence in str(raised.value)
