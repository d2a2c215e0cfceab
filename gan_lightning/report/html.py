"""HTML from texts that may come from a stranger's run folder: everything is escaped."""

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any


class Html(str):
    """Markup; any other string is a text, and escaped where it is put into markup."""


def text(value: object) -> Html:
    """Return a value as markup: escaped, unless it is markup."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def joined(parts: Iterable[object]) -> Html:
    """Return the parts one after the other."""
    return Html("".join(text(part) for part in parts))


def tag(name: str, *parts: object, **attributes: object) -> Html:
    """Return an element; `class_` is the attribute class, `data_x` is data-x."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{named}>{joined(parts)}</{name}>")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], numbers: bool = True) -> Html:
    """Return a table that scrolls where it is too wide; the first column names the row."""
    lines = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))
        for first, *rest in rows
    ]
    top = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    kind = "numbers" if numbers else "words"
    inside = tag("table", tag("thead", top), tag("tbody", *lines), class_=kind)
    return tag("div", inside, class_="wide", tabindex="0")


def json_text(value: Any) -> Html:
    """Return JSON that can stand in a script element: nothing in it can end the element."""
    dumped = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Html(dumped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
